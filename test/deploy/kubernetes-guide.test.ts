// What docs/deployment.md says of Kubernetes, against the manifests that it builds on.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { realpathSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, test } from 'node:test'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import { parse } from 'yaml'
import { SETTING_DOCS } from '../../src/app/config.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { guide } from './guide.ts'
import { hasKubectl } from './kubectl.ts'
import { type Manifest, problemsOf } from './kubernetes-schemas.ts'
import { ROOT, readRepositoryFile } from './repository.ts'

const FOLDER = 'deploy/kubernetes'
const deployment: IDeployment = parse(readRepositoryFile(`${FOLDER}/deployment.yaml`))
const [container = assert.fail()] = deployment.spec?.template.spec?.containers ?? []

describe('the guide to Kubernetes', () => {
  const [, overlay = ''] = /^```yaml\n(apiVersion: kustomize.*?)^```$/ms.exec(guide) ?? []
  const { version } = JSON.parse(readRepositoryFile('package.json'))

  test('builds and pushes the image that the pods then run', () => {
    const { images, resources, namespace } = parse(overlay)
    const [{ name, newName } = assert.fail()] = images
    const named = `${newName}:${version}`
    assert.equal(name, container.image)
    assert.ok(guide.includes(`docker build --tag ${named} .\ndocker push ${named}\n`))
    assert.ok(resources[0].endsWith(`/${FOLDER}`))
    assert.ok(guide.includes(`kubectl create namespace ${namespace}\n`))
  })

  test('adds a setting that there is', () => {
    const [{ patch, target } = assert.fail()] = parse(overlay).patches
    const [{ op, path, value }, ...others] = parse(patch)
    assert.deepEqual(others, [])
    assert.deepEqual([target.kind, op], ['Deployment', 'add'])
    assert.equal(path, '/spec/template/spec/containers/0/env/-')
    assert.ok(SETTING_DOCS.some(({ name }) => name === value.name))
    assert.equal(typeof value.value, 'string')
  })

  const skip = !hasKubectl() && 'needs kubectl'
  test('has a kustomization that adds a setting and changes the image', { skip }, (t) => {
    const directory = realpathSync(temporaryDirectory(t))
    const base = relative(directory, realpathSync(join(ROOT, FOLDER)))
    const text = overlay.replace(/^( *- ).*\/deploy\/kubernetes$/m, `$1${base}`)
    writeFileSync(join(directory, 'kustomization.yaml'), text)
    const built = execFileSync('kubectl', ['kustomize', directory], { encoding: 'utf8' })
    const documents = built.split(/^---$/m).map((one): Manifest => parse(one))
    for (const manifest of documents) assert.deepEqual(problemsOf(manifest), [])
    const { metadata, spec } = documents.find(({ kind }) => kind === 'Deployment') as IDeployment
    const [changed] = spec?.template.spec?.containers ?? []
    const [{ newName }] = parse(overlay).images
    assert.equal(metadata?.namespace, parse(overlay).namespace)
    assert.equal(changed?.image, `${newName}:${version}`)
    const [added, ...others] = (changed?.env ?? []).slice(container.env?.length)
    assert.deepEqual(others, [])
    assert.ok(SETTING_DOCS.some(({ name }) => name === added?.name))
    assert.equal(typeof added?.value, 'string')
  })
})
