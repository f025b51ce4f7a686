// deploy/kubernetes against the schemas of the API, the configuration and the image it runs.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IService } from 'kubernetes-models/v1/Service'
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parse } from 'yaml'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { parseDockerfile } from './dockerfile.ts'
import { guide } from './guide.ts'
import { hasKubectl } from './kubectl.ts'
import { type Manifest, problemsOf } from './kubernetes-schemas.ts'
import { ROOT, readRepositoryFile, repositoryFiles } from './repository.ts'

const FOLDER = 'deploy/kubernetes'
const KUSTOMIZATION = 'kustomization.yaml'
/** What PostgreSQL leaves to ordinary users of its max_connections by default. */
const POSTGRES_CONNECTIONS = 97

type Kustomization = {
  readonly resources: readonly string[]
  readonly images: readonly { readonly name: string; readonly newTag: string }[]
}

const files = repositoryFiles()
  .filter((file) => file.startsWith(`${FOLDER}/`))
  .map((file) => file.slice(FOLDER.length + 1))
const read = (file: string) => parse(readRepositoryFile(`${FOLDER}/${file}`))
const kustomization = read(KUSTOMIZATION) as Kustomization
const manifests = files.filter((file) => file !== KUSTOMIZATION)

const account: IServiceAccount = read('serviceaccount.yaml')
const deployment: IDeployment = read('deployment.yaml')
const service: IService = read('service.yaml')
const autoscaler: IHorizontalPodAutoscaler = read('autoscaler.yaml')
const budget: IPodDisruptionBudget = read('pod-disruption-budget.yaml')
const policy: INetworkPolicy = read('network-policy.yaml')
const template = deployment.spec?.template
const pod = template?.spec
const [container, ...otherContainers] = pod?.containers ?? []
assert.ok(template && pod && container)

const image = parseDockerfile(readRepositoryFile('Dockerfile')).at(-1)
const textOf = (name: string) => image?.instructions.find((one) => one.name === name)?.text ?? ''
const fallbackOf = (name: string) =>
  Number(SETTING_DOCS.find((setting) => setting.name === name)?.fallback)

type Place = { readonly parent: Record<string, unknown>; readonly key: string }

/** Every value inside `value`, by where it is. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const parent = value as Record<string, unknown>
  return Object.keys(parent).flatMap((key) => [{ parent, key }, ...placesIn(parent[key])])
}

describe('the manifests for Kubernetes', () => {
  test('are all of those that kustomization.yaml names, and no others', () => {
    assert.deepEqual(kustomization.resources.toSorted(), manifests.toSorted())
  })

  for (const file of manifests) {
    test(`${file} is what the API takes`, () => {
      assert.deepEqual(problemsOf(read(file)), [])
    })

    test(`${file} is refused with a field more, wherever that is`, () => {
      const manifest: Manifest = read(file)
      const objects = placesIn({ manifest })
        .map(({ parent, key }) => parent[key])
        .filter((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
      assert.ok(objects.length > 1)
      for (const object of objects as Record<string, unknown>[]) {
        object['surplus'] = {}
        assert.notDeepEqual(problemsOf(manifest), [], `surplus in ${JSON.stringify(object)}`)
        delete object['surplus']
      }
    })

    test(`${file} is refused with a value of another type, wherever that is`, () => {
      const manifest: Manifest = read(file)
      for (const { parent, key } of placesIn(manifest)) {
        const value = parent[key]
        parent[key] = typeof value === 'object' ? 'text' : [value]
        assert.notDeepEqual(problemsOf(manifest), [], `another ${key} in ${JSON.stringify(parent)}`)
        parent[key] = value
      }
    })
  }

  test('are refused without what the API requires, and with a word it does not know', () => {
    const twin = structuredClone(deployment) as unknown as Manifest & { spec: object }
    assert.notDeepEqual(problemsOf({ ...twin, kind: 'Deploymint' } as Manifest), [])
    const { selector: _, ...spec } = deployment.spec ?? assert.fail()
    assert.match(problemsOf({ ...twin, spec } as Manifest).join(), /\/spec required .*selector/)
    const strategy = { type: 'RollingUpdat' }
    const misspelt = { ...twin, spec: { ...deployment.spec, strategy } }
    assert.match(problemsOf(misspelt).join(), /\/spec\/strategy\/type enum/)
  })

  const kubectl = hasKubectl()
  test('are what kustomize builds', { skip: !kubectl && 'needs kubectl' }, () => {
    const built = execFileSync('kubectl', ['kustomize', join(ROOT, FOLDER)], { encoding: 'utf8' })
    const [{ name, newTag } = assert.fail()] = kustomization.images
    const byKind = ({ kind: a }: Manifest, { kind: b }: Manifest) => a.localeCompare(b)
    const expected = manifests.map((file): Manifest => {
      const text = readRepositoryFile(`${FOLDER}/${file}`)
      return parse(text.replace(`image: ${name}\n`, `image: ${name}:${newTag}\n`))
    })
    const documents = built.split(/^---$/m).map((text): Manifest => parse(text))
    assert.deepEqual(documents.toSorted(byKind), expected.toSorted(byKind))
  })

  test('select the pods of the deployment, and those alone', () => {
    const { labels } = template.metadata ?? {}
    assert.ok(labels && Object.keys(labels).length > 0)
    assert.deepEqual(deployment.spec?.selector.matchLabels, labels)
    assert.deepEqual(service.spec?.selector, labels)
    assert.deepEqual(budget.spec?.selector?.matchLabels, labels)
    assert.deepEqual(policy.spec?.podSelector?.matchLabels, labels)
    for (const { labelSelector } of pod.topologySpreadConstraints ?? []) {
      assert.deepEqual(labelSelector?.matchLabels, labels)
    }
  })

  test('name each other', () => {
    const { kind, name } = autoscaler.spec?.scaleTargetRef ?? {}
    assert.deepEqual([kind, name], [deployment.kind, deployment.metadata?.name])
    assert.equal(pod.serviceAccountName, account.metadata?.name)
  })

  test('run the version that the repository has', () => {
    const { version } = JSON.parse(readRepositoryFile('package.json'))
    assert.deepEqual(kustomization.images, [{ name: container.image, newTag: version }])
  })

  test('hold no secret, and no kind of object that could', () => {
    for (const file of manifests) assert.notEqual(read(file).kind, 'Secret')
    for (const variable of container.env ?? []) {
      assert.deepEqual(Object.keys(variable), ['name', 'valueFrom'], variable.name)
      assert.deepEqual(Object.keys(variable.valueFrom ?? {}), ['secretKeyRef'], variable.name)
    }
    assert.equal(container.envFrom, undefined)
  })
})

describe('the pods', () => {
  test('get settings that the service knows, from keys of one secret that have their names', () => {
    const known = SETTING_DOCS.map(({ name }) => name)
    for (const { name, valueFrom } of container.env ?? []) {
      assert.ok(known.includes(name), name)
      assert.equal(valueFrom?.secretKeyRef?.key, name)
      assert.equal(valueFrom?.secretKeyRef?.name, deployment.metadata?.name)
    }
  })

  test('do not start without a database and keys that all of them share', () => {
    const required = (container.env ?? [])
      .filter(({ valueFrom }) => valueFrom?.secretKeyRef?.optional !== true)
      .map(({ name }) => name)
    assert.deepEqual(required, ['DATABASE_URL', 'API_KEYS'])
  })

  test('have no rights: no root, no capability, no file to write, no token', () => {
    assert.deepEqual(otherContainers, [])
    const { runAsNonRoot, runAsUser, runAsGroup, seccompProfile } = pod.securityContext ?? {}
    assert.equal(runAsNonRoot, true)
    assert.equal(`${runAsUser}:${runAsGroup}`, textOf('USER'))
    assert.deepEqual(seccompProfile, { type: 'RuntimeDefault' })
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    assert.equal(pod.automountServiceAccountToken, false)
    assert.equal(account.automountServiceAccountToken, false)
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
      assert.equal(pod[key], undefined)
    }
  })

  test('write to a place for temporary files only', () => {
    const written = (container.volumeMounts ?? []).filter(({ readOnly }) => readOnly !== true)
    assert.deepEqual(written, [{ name: 'tmp', mountPath: '/tmp' }])
    const [{ name, emptyDir, ...rest } = assert.fail()] = pod.volumes ?? []
    assert.deepEqual([name, rest], ['tmp', {}])
    assert.ok(emptyDir?.sizeLimit !== undefined)
  })

  test('have a place for the certificate of a private authority, and start without one', () => {
    const [, ...mounts] = container.volumeMounts ?? []
    const [, ...volumes] = pod.volumes ?? []
    const [, created, file] =
      /^kubectl .* create configmap (\S+) --from-file=(\S+)$/m.exec(guide) ?? []
    assert.deepEqual(volumes, [{ name: 'authority', configMap: { name: created, optional: true } }])
    const [{ name, mountPath, ...rest } = assert.fail(), ...others] = mounts
    assert.deepEqual([name, rest, others], ['authority', { readOnly: true }, []])
    // By the directory, not by subPath: what is mounted as one file never changes.
    assert.ok(guide.includes(`sslmode=verify-full&sslrootcert=${mountPath}/${file}`))
  })

  test('listen on the image’s port, which everything else names', () => {
    const [port, ...others] = container.ports ?? []
    assert.deepEqual([String(port?.containerPort), others], [textOf('EXPOSE'), []])
    const names = [
      ...[container.startupProbe, container.livenessProbe, container.readinessProbe].map(
        (probe) => probe?.httpGet?.port,
      ),
      ...(service.spec?.ports ?? []).map(({ targetPort }) => targetPort),
      ...(policy.spec?.ingress ?? []).flatMap(({ ports }) => (ports ?? []).map((one) => one.port)),
    ]
    assert.deepEqual(names, Array(names.length).fill(port?.name))
    assert.equal(names.length, 5)
  })

  test('are started anew when they are not alive, and only left out when they are not ready', () => {
    assert.equal(container.startupProbe?.httpGet?.path, '/health/live')
    assert.equal(container.livenessProbe?.httpGet?.path, '/health/live')
    assert.equal(container.readinessProbe?.httpGet?.path, '/health/ready')
  })

  test('have more time to stop than they take', () => {
    const pause = container.lifecycle?.preStop?.sleep?.seconds ?? 0
    assert.ok(pause > 0)
    const grace = pod.terminationGracePeriodSeconds ?? 0
    assert.ok(grace > pause + fallbackOf('SHUTDOWN_TIMEOUT'))
    // Were the time-out set here, it could be more than the grace.
    assert.ok(!container.env?.some(({ name }) => name === 'SHUTDOWN_TIMEOUT'))
  })

  test('are limited, and ask for what the autoscaler measures by', () => {
    const { requests, limits } = container.resources ?? {}
    const [{ resource } = assert.fail()] = autoscaler.spec?.metrics ?? []
    assert.equal(resource?.target.type, 'Utilization')
    assert.ok(requests?.[resource.name] !== undefined)
    assert.deepEqual(Object.keys(limits ?? {}), ['cpu', 'memory'])
  })
})

describe('the number of pods', () => {
  const { minReplicas = 1, maxReplicas = 1 } = autoscaler.spec ?? {}
  const { maxSurge, maxUnavailable } = deployment.spec?.strategy?.rollingUpdate ?? {}

  test('is never less for an update, and is the autoscaler’s alone', () => {
    assert.equal(maxUnavailable, 0)
    assert.equal(deployment.spec?.replicas, undefined)
    assert.ok(minReplicas >= 3)
  })

  test('leaves some when machines are drained, and lets them be', () => {
    const away = Number(budget.spec?.maxUnavailable)
    assert.ok(away >= 1)
    assert.ok(minReplicas - away >= 2)
  })

  test('is no more than PostgreSQL has connections for', () => {
    const most = (maxReplicas + Number(maxSurge)) * fallbackOf('DATABASE_POOL_SIZE')
    assert.ok(most <= POSTGRES_CONNECTIONS, `${most} connections`)
  })
})

test('the network lets in what the port takes, and out names and PostgreSQL', () => {
  const { policyTypes, ingress, egress } = policy.spec ?? {}
  assert.deepEqual(policyTypes, ['Ingress', 'Egress'])
  assert.equal(ingress?.length, 1)
  const out = (egress ?? []).flatMap(({ ports }) => ports ?? [])
  assert.deepEqual(
    out.map(({ port, protocol }) => `${protocol} ${port}`),
    ['UDP 53', 'TCP 53', 'TCP 5432'],
  )
})
