// The program kubectl, which builds what a kustomization describes without any cluster.
import { execFileSync } from 'node:child_process'

/** Whether this machine has it. */
export function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['kustomize', '--help'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
