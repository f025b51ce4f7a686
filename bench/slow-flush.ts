// A program on a disk that takes longer to flush than the one that is here.
import type { Program } from './programs.ts'

/**
 * The program under strace, which keeps each fsync and fdatasync from returning for so many ms
 * more; 0 leaves the program as it is. No other call stops (--seccomp-bpf), only the thread that
 * waits for the flush is held, and the process keeps its id (-D).
 */
export function withSlowFlush(program: Program, ms: number): Program {
  if (ms === 0) return program
  const calls = 'fsync,fdatasync'
  const inject = `inject=${calls}:delay_exit=${ms * 1000}`
  const strace = ['-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`]
  return {
    ...program,
    command: 'strace',
    args: [...strace, '-e', inject, program.command, ...program.args],
  }
}
