// What the functions of PostgreSQL's migrations have come to: of each the last definition, with all that
// the migrations say of it.
import type { Migration } from '../../src/app/store/postgres/schema.ts'

/** A comment right above it, and a function; its body is between `$$`, or one expression. */
const FUNCTION =
  /^((?:--.*\n)*)create (?:or replace )?function (\w+)((?:(?!\$\$)[^;])*(?:\$\$[\s\S]*?\$\$[^;]*)?;)/gm

const HEADER = `-- To be read, and never run: the functions that migrations/ have come to, each as it is defined last, in the
-- order in which they came, with what each migration says of it. "As before" refers to the one above.
-- Written by WRITE_SCHEMA_OBJECTS=1 node --test test/contract/postgres-schema-objects.test.ts
`

type Definition = { readonly comments: readonly string[]; readonly rest: string }

/** Their definitions by name, in the order in which the migrations define them first. */
export function functionsOf(migrations: readonly Migration[]): ReadonlyMap<string, Definition> {
  const functions = new Map<string, Definition>()
  for (const { version, sql } of migrations) {
    for (const [, comment = '', name = '', rest = ''] of sql.matchAll(FUNCTION)) {
      const said = functions.get(name)?.comments ?? []
      functions.set(name, { comments: [...said, ...numbered(version, comment)], rest })
    }
  }
  return functions
}

/** The file in which they are read. */
export function functionsText(functions: ReadonlyMap<string, Definition>): string {
  const texts = [...functions].map(
    ([name, { comments, rest }]) => `${comments.join('')}create function ${name}${rest}\n`,
  )
  return [HEADER, ...texts].join('\n')
}

function numbered(version: number, comment: string): string[] {
  if (comment === '') return []
  return [comment.replace('-- ', `-- ${String(version).padStart(4, '0')}: `)]
}
