/** Ghost text of which more has come: VS Code is made to ask for it again. */

import * as vscode from 'vscode';

export class GhostText {
  private renewing = false;

  /**
   * Ask again at a place, if the cursor of that version of the document is there still.
   *
   * Asked anew, VS Code keeps what it shows before what comes; this command shows what comes, and
   * does nothing where the person has dismissed it.
   */
  async extend(uri: vscode.Uri, version: number, place: vscode.Position): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const { document, selection } = editor ?? {};
    const there = document?.uri.toString() === uri.toString() && document.version === version;
    if (!there || !selection?.isEmpty || !selection.active.isEqual(place)) {
      return;
    }
    this.renewing = true;
    try {
      await vscode.commands.executeCommand('editor.action.inlineSuggest.showNext');
    } finally {
      this.renewing = false;
    }
  }

  /** The context of a question: what is asked again is no person's wish for others. */
  context(given: vscode.InlineCompletionContext): vscode.InlineCompletionContext {
    const { Automatic } = vscode.InlineCompletionTriggerKind;
    return this.renewing ? { ...given, triggerKind: Automatic } : given;
  }
}
