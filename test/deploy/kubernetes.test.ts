// deploy/kubernetes against the API's own schemas, against itself, and against the service.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parse } from 'yaml'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { parseDockerfile } from './dockerfile.ts'
import { ROOT, readRepositoryFile } from './repository.ts'

const DIRECTORY = join(ROOT, 'deploy/kubernetes')

type Manifest = { readonly apiVersion: string; readonly kind: string }
type Checked = new (manifest: never) => { validate(): void }

/** The models of the API, whose validators were made from its OpenAPI description. */
const MODELS: Readonly<Record<string, { readonly model: Checked; readonly path: string }>> = {
  'apps/v1 Deployment': { model: Deployment, path: 'apps/v1/Deployment' },
  'autoscaling/v2 HorizontalPodAutoscaler': {
    model: HorizontalPodAutoscaler,
    path: 'autoscaling/v2/HorizontalPodAutoscaler',
  },
  'networking.k8s.io/v1 NetworkPolicy': {
    model: NetworkPolicy,
    path: 'networking.k8s.io/v1/NetworkPolicy',
  },
  'policy/v1 PodDisruptionBudget': {
    model: PodDisruptionBudget,
    path: 'policy/v1/PodDisruptionBudget',
  },
  'v1 Service': { model: Service, path: 'v1/Service' },
  'v1 ServiceAccount': { model: ServiceAccount, path: 'v1/ServiceAccount' },
}

const kustomization = readManifest('kustomization.yaml') as unknown as {
  readonly resources: readonly string[]
}
const manifests = new Map(kustomization.resources.map((file) => [file, readManifest(file)]))
const deployment = readManifest('deployment.yaml') as Manifest & Record<string, unknown>
const { spec } = deployment as unknown as {
  spec: {
    selector: { matchLabels: Record<string, string> }
    template: {
      metadata: { labels: Record<string, string> }
      spec: {
        terminationGracePeriodSeconds: number
        securityContext: { runAsNonRoot: boolean; runAsUser: number }
        containers: readonly [
          {
            env: readonly { name: string; value?: string; valueFrom?: { secretKeyRef: unknown } }[]
            ports: readonly { name: string; containerPort: number }[]
            lifecycle: { preStop: { sleep: { seconds: number } } }
            securityContext: Record<string, unknown>
            [probe: `${string}Probe`]: { httpGet: { path: string; port: string } }
          },
        ]
      }
    }
  }
}
const pod = spec.template.spec
const [container] = pod.containers

function readManifest(file: string): Manifest {
  return parse(readFileSync(join(DIRECTORY, file), 'utf8')) as Manifest
}

function modelOf({ apiVersion, kind }: Manifest) {
  const found = MODELS[`${apiVersion} ${kind}`]
  assert.ok(found, `${apiVersion} ${kind} is none that this test knows`)
  return found
}

function validate(manifest: Manifest): void {
  ;new (modelOf(manifest).model)(manifest as never).validate()
}

/** What the compiler says of manifests written as values of the API's types: it knows every field. */
function typeErrors(t: TestContext, checked: readonly Manifest[]): string {
  const directory = temporaryDirectory(t)
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  const lines = checked.map((manifest, i) => {
    const { path } = modelOf(manifest)
    const literal = JSON.stringify(manifest)
    return `import type { I${manifest.kind} as T${i} } from 'kubernetes-models/${path}'\nexport const m${i}: T${i} = ${literal}`
  })
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  writeFileSync(join(directory, 'manifests.ts'), lines.join('\n'))
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--skipLibCheck']
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  return spawnSync(tsc, [...options, 'manifests.ts'], { cwd: directory, encoding: 'utf8' }).stdout
}

describe('deploy/kubernetes', () => {
  test('lists every file in it, and no other', () => {
    const files = readdirSync(DIRECTORY).filter((file) => file !== 'kustomization.yaml')
    assert.deepEqual([...kustomization.resources].sort(), files.sort())
  })

  for (const [file, manifest] of manifests) {
    test(`${file} holds what the schema of the API asks for`, () => validate(manifest))
  }

  test('has no field that the API does not know', (t) => {
    assert.equal(typeErrors(t, [...manifests.values()]), '')
  })

  test('a wrong type, a missing field and an unknown one would be found', (t) => {
    const change = (text: string, other: string) =>
      JSON.parse(JSON.stringify(deployment).replace(text, other)) as Manifest
    assert.throws(() => validate(change('"containerPort":8000', '"containerPort":"http"')))
    assert.throws(() => validate(change('"selector"', '"selectors"')))
    const misspelt = change('"readinessProbe"', '"readynessProbe"')
    validate(misspelt)
    assert.match(typeErrors(t, [misspelt]), /readynessProbe/)
  })

  test('every selector means the pods of the deployment', () => {
    const labels = spec.template.metadata.labels
    const selectors = [...manifests.values()].flatMap((manifest) => {
      const { selector, podSelector } = (manifest as { spec?: Record<string, unknown> }).spec ?? {}
      return [selector ?? podSelector ?? []].flat() as Record<string, unknown>[]
    })
    assert.equal(selectors.length, 4)
    for (const selector of selectors) {
      const wanted = (selector['matchLabels'] ?? selector) as Record<string, string>
      for (const [name, value] of Object.entries(wanted)) assert.equal(labels[name], value)
    }
  })

  test('probes ask what the service answers, on a port that it has', () => {
    const names = container.ports.map(({ name }) => name)
    const paths = (['startupProbe', 'livenessProbe', 'readinessProbe'] as const).map((probe) => {
      const { path, port } = container[probe]?.httpGet ?? { path: '', port: '' }
      assert.ok(names.includes(port))
      return path
    })
    assert.deepEqual(paths, ['/health/live', '/health/live', '/health/ready'])
    assert.equal(container.ports[0]?.containerPort, 8000)
  })

  test('sets only what the configuration knows, each by reference to a secret', () => {
    const known = SETTING_DOCS.map(({ name }) => name)
    for (const { name, value, valueFrom } of container.env) {
      assert.ok(known.includes(name), name)
      assert.equal(value, undefined)
      assert.ok(valueFrom?.secretKeyRef)
    }
  })

  test('leaves the service more time to stop than it takes', () => {
    const setting = SETTING_DOCS.find(({ name }) => name === 'SHUTDOWN_TIMEOUT')
    const needed = container.lifecycle.preStop.sleep.seconds + Number(setting?.fallback)
    assert.ok(pod.terminationGracePeriodSeconds > needed)
  })

  test('runs as the user of the image, with no more than that needs', () => {
    const image = parseDockerfile(readRepositoryFile('Dockerfile')).at(-1)
    const user = image?.instructions.find(({ name }) => name === 'USER')?.text
    const { runAsUser, runAsNonRoot } = pod.securityContext
    assert.deepEqual([`${runAsUser}:${runAsUser}`, runAsNonRoot], [user, true])
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })
})
