/** Edits of an older text, moved to where they belong in the present one. Knows nothing of VS Code. */

interface Position {
  line: number;
  character: number;
}

/** A range, and what stands there afterwards. */
export interface Replacement {
  range: { start: Position; end: Position };
  text: string;
}

/** What was typed touches what was to be edited. */
export class Conflict extends Error {}

/** Move edits over what was typed, in its order. Throws Conflict where they touch. */
export function rebased(
  edits: readonly Replacement[],
  typed: readonly Replacement[],
): Replacement[] {
  return edits.map(({ range, text }) => ({
    range: typed.reduce((moved, change) => shifted(moved, change), range),
    text,
  }));
}

function shifted(range: Replacement['range'], change: Replacement): Replacement['range'] {
  if (before(range.end, change.range.start)) {
    return range;
  }
  if (!before(change.range.end, range.start)) {
    throw new Conflict();
  }
  return { start: moved(range.start, change), end: moved(range.end, change) };
}

function moved(at: Position, { range: { start, end }, text }: Replacement): Position {
  const lines = text.split(/\r\n|\r|\n/);
  const last = lines.at(-1)!.length;
  const line = at.line + lines.length - 1 - (end.line - start.line);
  if (at.line !== end.line) {
    return { line, character: at.character };
  }
  const column = lines.length === 1 ? start.character + last : last;
  return { line, character: column + at.character - end.character };
}

function before(one: Position, other: Position): boolean {
  return one.line < other.line || (one.line === other.line && one.character < other.character);
}
