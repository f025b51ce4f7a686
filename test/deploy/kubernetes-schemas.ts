// The schemas of the Kubernetes API, from which the package kubernetes-models compiles validators.
import { validate as deployment } from 'kubernetes-models/_schemas/IoK8sApiAppsV1Deployment'
import { validate as autoscaler } from 'kubernetes-models/_schemas/IoK8sApiAutoscalingV2HorizontalPodAutoscaler'
import { validate as service } from 'kubernetes-models/_schemas/IoK8sApiCoreV1Service'
import { validate as serviceAccount } from 'kubernetes-models/_schemas/IoK8sApiCoreV1ServiceAccount'
import { validate as networkPolicy } from 'kubernetes-models/_schemas/IoK8sApiNetworkingV1NetworkPolicy'
import { validate as disruptionBudget } from 'kubernetes-models/_schemas/IoK8sApiPolicyV1PodDisruptionBudget'

type SchemaError = {
  readonly instancePath: string
  readonly keyword: string
  readonly params: object
}
type Validator = ((data: unknown) => boolean) & { readonly errors?: readonly SchemaError[] | null }

const VALIDATORS: Readonly<Record<string, Validator>> = {
  'apps/v1 Deployment': deployment,
  'autoscaling/v2 HorizontalPodAutoscaler': autoscaler,
  'v1 Service': service,
  'v1 ServiceAccount': serviceAccount,
  'networking.k8s.io/v1 NetworkPolicy': networkPolicy,
  'policy/v1 PodDisruptionBudget': disruptionBudget,
}

export type Manifest = { readonly apiVersion: string; readonly kind: string }

/** What the API would refuse, or leave out without a word: fields that it does not know. */
export function problemsOf(manifest: Manifest): string[] {
  const type = `${manifest.apiVersion} ${manifest.kind}`
  const validate = VALIDATORS[type]
  if (validate === undefined) return [`no schema for ${type}`]
  const seen = new Map<object, Seen>()
  if (!validate(watched(manifest, '', seen))) {
    return (validate.errors ?? []).map(
      ({ instancePath, keyword, params }) => `${instancePath} ${keyword} ${JSON.stringify(params)}`,
    )
  }
  return [...seen].flatMap(([value, { path, read }]) =>
    Object.keys(value)
      .filter((key) => !read.has(key))
      .map((key) => `${path}/${key} is unknown`),
  )
}

type Seen = { readonly path: string; readonly read: Set<PropertyKey>; readonly proxy: object }

// The schemas allow any field more, as JSON schemas do. But a validator reads the fields it knows
// and no others, so those it has not read are the unknown ones.
function watched(value: unknown, path: string, seen: Map<object, Seen>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known.proxy
  const read = new Set<PropertyKey>()
  const proxy = new Proxy(value, {
    get(target, key) {
      read.add(key)
      return watched(Reflect.get(target, key), `${path}/${String(key)}`, seen)
    },
  })
  seen.set(value, { path, read, proxy })
  return proxy
}
