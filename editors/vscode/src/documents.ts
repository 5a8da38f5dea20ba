/** Pages to read: what was sent, what was spent, explanations. They are shown as rendered Markdown. */

import * as vscode from 'vscode';

const SCHEME = 'twotrack';

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private number = 0;
  private readonly subscription = vscode.workspace.registerTextDocumentContentProvider(
    SCHEME,
    this,
  );

  /** Show Markdown under a name beside the code, in the place of the last page of that name. */
  async show(name: string, text: string): Promise<void> {
    const path = `/${name.replaceAll('/', '∕')}.md`;
    for (const key of [...this.texts.keys()]) {
      if (vscode.Uri.parse(key).path === path) {
        this.texts.delete(key);
      }
    }
    // Another address each time: the preview would show the old text under the same one.
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query: String(++this.number) });
    this.texts.set(uri.toString(), text);
    await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
  }

  /** Show Markdown under its own heading. */
  showPage(text: string): Promise<void> {
    return this.show(/^# (.*)/.exec(text)?.[1] ?? 'Twotrack', text);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  dispose(): void {
    this.subscription.dispose();
  }
}
