// Rows of text as a table that reads well in a terminal and as Markdown.

/** A Markdown table with padded columns. The first row is its head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? '')].length)),
  )
  const lines = rows.map((row) => `| ${widths.map((width, i) => pad(row[i], width)).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return lines.join('\n')
}

function pad(text = '', width: number): string {
  return text + ' '.repeat(width - [...text].length)
}
