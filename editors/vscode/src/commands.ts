/** The commands on code: ask, preview, apply as one step of undo. */

import * as vscode from 'vscode';

import { type Connection, isCancelled } from './connection';
import type { Documents } from './documents';
import { type Change, changes, Typing, workspaceEdit } from './edits';
import { servable } from './languages';
import type { Preview } from './preview';
import type { EditParams } from './protocol';
import { answered, page } from './words';

/** More changed lines than these count as large. */
const LARGE = 10;

export class CodeCommands {
  constructor(
    private readonly connection: Connection,
    private readonly preview: Preview,
    private readonly documents: Documents,
    private readonly output: vscode.LogOutputChannel,
  ) {}

  /** Carry out a task on the selection, or on what stands at the cursor. */
  async run(task: EditParams['task']): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor || !servable(editor.document)) {
      void vscode.window.showInformationMessage('Twotrack: open a file first.');
      return;
    }
    await this.connection.ready(); // the place is read when it can be asked about
    const params = await parameters(task, editor, this.connection);
    if (!params) {
      return;
    }
    const typing = new Typing();
    try {
      const result = await this.connection.edit(params);
      this.output.info(`${result.title}: ${answered(result)}`);
      if (result.text) {
        await this.documents.showPage(page(result));
      }
      if (result.edit) {
        const title = `${result.title} · ${answered(result)}`;
        await this.apply(editor, title, await changes(result.edit), typing);
      }
    } catch (error) {
      if (!isCancelled(error)) {
        throw error;
      }
    } finally {
      typing.dispose();
    }
  }

  private async apply(
    editor: vscode.TextEditor,
    title: string,
    read: readonly Change[],
    typing: Typing,
  ): Promise<void> {
    const put = async (wanted: readonly Change[]) => {
      const edit = workspaceEdit(wanted.map((change) => typing.moved(change)));
      if (!(await vscode.workspace.applyEdit(edit))) {
        throw new Error('VS Code did not apply the edit; nothing was changed.');
      }
    };
    const present = read.map((change) => typing.moved(change));
    if (!wantsPreview(present)) {
      await put(present);
    } else if (await this.preview.decided(title, present, typing, put)) {
      await vscode.window.showTextDocument(editor.document, editor.viewColumn);
    } else {
      return;
    }
    if (!present.some(({ document }) => document === editor.document)) {
      await vscode.window.showTextDocument(present[0]!.uri, { preview: false });
    }
  }
}

async function parameters(
  task: EditParams['task'],
  editor: vscode.TextEditor,
  connection: Connection,
): Promise<EditParams | undefined> {
  const { document } = editor;
  const textDocument = { uri: document.uri.toString() };
  switch (task) {
    case 'refactor': {
      const subject = await connection.subject(textDocument, plainRange(editor.selection));
      const instruction = await vscode.window.showInputBox({
        title: `Twotrack: edit ${subject}`,
        placeHolder: 'such as: add type hints, use a dictionary, handle the empty list',
      });
      const range = plainRange(editor.selection); // where it is now
      return instruction?.trim()
        ? { textDocument, task, range, instruction: instruction.trim() }
        : undefined;
    }
    case 'fix': {
      const found = await diagnostic(document, editor.selection);
      return (
        found && {
          textDocument,
          task,
          range: plainRange(found.range),
          diagnostic: found.message,
        }
      );
    }
    default:
      return { textDocument, task, range: plainRange(editor.selection) };
  }
}

/** The problem that is meant: the only one in the selection or its line, or the chosen one. */
async function diagnostic(
  document: vscode.TextDocument,
  selection: vscode.Selection,
): Promise<vscode.Diagnostic | undefined> {
  const all = vscode.languages.getDiagnostics(document.uri);
  const within = (range: vscode.Range) => all.filter((each) => range.intersection(each.range));
  const at = within(selection);
  const lines = new vscode.Range(
    document.lineAt(selection.start).range.start,
    document.lineAt(selection.end).range.end,
  );
  const found = at.length ? at : within(lines);
  if (found.length === 0) {
    void vscode.window.showInformationMessage('Twotrack: no problem is reported here.');
    return undefined;
  }
  if (found.length === 1) {
    return found[0];
  }
  const items = found.map((each) => ({
    label: each.message,
    description: each.source ?? '',
    each,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: 'Twotrack: fix which?' });
  return chosen?.each;
}

function plainRange({ start, end }: vscode.Range): EditParams['range'] {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

function wantsPreview(found: readonly Change[]): boolean {
  const when = vscode.workspace.getConfiguration('twotrack').get<string>('preview');
  if (when === 'large') {
    return found.length > 1 || found.some((change) => changedLines(change) > LARGE);
  }
  return when !== 'never';
}

/** How many lines go or come, whichever is more. */
function changedLines({ replacements }: Change): number {
  const sizes = replacements.map(({ range, text }) =>
    Math.max(range.end.line - range.start.line + 1, text.split('\n').length),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
