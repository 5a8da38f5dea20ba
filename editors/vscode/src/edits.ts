/** From an edit of the server to what becomes of each file, whatever is typed meanwhile. */

import * as vscode from 'vscode';
import type {
  AnnotatedTextEdit,
  CreateFile,
  DeleteFile,
  RenameFile,
  SnippetTextEdit,
  TextDocumentEdit,
  TextEdit,
  WorkspaceEdit,
} from 'vscode-languageclient';

import { Conflict, rebased, type Replacement } from './rebase';
import { plain } from './words';

/** What an edit makes of one file. */
export interface Change {
  uri: vscode.Uri;
  /** Undefined where the file is to be made. */
  document: vscode.TextDocument | undefined;
  /** The document's version that the replacements speak of. */
  version: number;
  replacements: Replacement[];
}

type AnyEdit = TextEdit | AnnotatedTextEdit | SnippetTextEdit;
type Part = TextDocumentEdit | CreateFile | RenameFile | DeleteFile;

/** Remembers what is typed from now on, so that an edit of an older text still fits. */
export class Typing implements vscode.Disposable {
  private readonly events: { uri: string; version: number; changes: Replacement[] }[] = [];
  private readonly subscription = vscode.workspace.onDidChangeTextDocument(
    ({ document, contentChanges }) => {
      if (contentChanges.length) {
        const changes = contentChanges.map(({ range, text }) => ({ range, text }));
        this.events.push({ uri: document.uri.toString(), version: document.version, changes });
      }
    },
  );

  /** Move a change over what was typed since. Throws where that touches it. */
  moved(change: Change): Change {
    const { uri, document, version } = change;
    if (!document || document.version === version) {
      return change;
    }
    const since = this.events.filter(
      (event) => event.uri === uri.toString() && event.version > version,
    );
    try {
      if (document.isClosed || since.length !== document.version - version) {
        throw new Conflict();
      }
      const typed = since.flatMap(({ changes }) => changes);
      const replacements = rebased(change.replacements, typed);
      return { ...change, version: document.version, replacements };
    } catch (error) {
      if (error instanceof Conflict) {
        const name = plain(vscode.workspace.asRelativePath(uri));
        throw new Error(`${name} has changed meanwhile; nothing was applied.`);
      }
      throw error;
    }
  }

  dispose(): void {
    this.subscription.dispose();
  }
}

/** Read an edit of the protocol. */
export async function changes(edit: WorkspaceEdit): Promise<Change[]> {
  const found = new Map<string, Change>();
  for (const part of parts(edit)) {
    if ('kind' in part) {
      if (part.kind === 'create') {
        const uri = vscode.Uri.parse(part.uri);
        found.set(part.uri, { uri, document: undefined, version: 0, replacements: [] });
      }
      continue;
    }
    const { uri: name, version } = part.textDocument;
    const replacements = part.edits.map(replacement);
    const made = found.get(name);
    if (made) {
      made.replacements.push(...replacements);
      continue;
    }
    const uri = vscode.Uri.parse(name);
    const document = await vscode.workspace.openTextDocument(uri);
    found.set(name, { uri, document, version: version ?? document.version, replacements });
  }
  return [...found.values()];
}

/** The text that a change makes of the present one. */
export function after({ document, replacements }: Change): string {
  if (!document) {
    return replacements.map(({ text }) => text).join('');
  }
  const newline = document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n';
  const spans = replacements.map(({ range, text }) => ({
    start: document.offsetAt(position(range.start)),
    end: document.offsetAt(position(range.end)),
    text: text.replace(/\r\n|\r|\n/g, newline), // as VS Code writes it
  }));
  return spans
    .sort((one, other) => other.start - one.start || other.end - one.end)
    .reduce(
      (text, span) => text.slice(0, span.start) + span.text + text.slice(span.end),
      document.getText(),
    );
}

/** The changes as VS Code applies them. The server's annotations are left out: they would ask. */
export function workspaceEdit(found: readonly Change[]): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  for (const change of found) {
    const { uri, document, replacements } = change;
    if (!document) {
      edit.createFile(uri, { contents: Buffer.from(after(change)) });
      continue;
    }
    for (const { range, text } of replacements) {
      edit.replace(uri, new vscode.Range(position(range.start), position(range.end)), text);
    }
  }
  return edit;
}

function parts(edit: WorkspaceEdit): Part[] {
  const whole = Object.entries(edit.changes ?? {}).map(([uri, edits]) => ({
    textDocument: { uri, version: null },
    edits,
  }));
  return edit.documentChanges ?? whole;
}

function replacement(edit: AnyEdit): Replacement {
  return { range: edit.range, text: 'newText' in edit ? edit.newText : edit.snippet.value };
}

function position({ line, character }: { line: number; character: number }): vscode.Position {
  return new vscode.Position(line, character);
}
