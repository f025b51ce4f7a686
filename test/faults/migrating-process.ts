// Brings a SQLite file to today's schema, as a process of its own that kills itself at one of its
// steps: each is a part of a statement that is about to run, so what came before it has run.
import { constants } from 'node:sqlite'
import { openWriter } from '../../src/app/store/sqlite/connection.ts'
import { migrate } from '../../src/app/store/sqlite/schema.ts'

const [file = '', deadly, guard] = process.argv.slice(2)
const database = openWriter(file)
let steps = 0
database.setAuthorizer(() => {
  if (++steps === Number(deadly)) process.kill(process.pid, 'SIGKILL')
  return constants.SQLITE_OK
})
if (guard === 'no transaction') {
  const exec = database.exec.bind(database)
  database.exec = (sql) => {
    if (sql !== 'begin immediate' && sql !== 'commit') exec(sql)
  }
}
migrate(database)
database.close()
process.stdout.write(`${steps}\n`)
