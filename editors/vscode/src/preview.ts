/** What would change, beside the present text: the person decides about all of it or about each hunk. */

import * as path from 'node:path';

import * as vscode from 'vscode';

import { after, type Change, type Typing } from './edits';
import { starts } from './hunks';
import { plain } from './words';

const SCHEME = 'twotrack-proposal';
const KEY = process.platform === 'darwin' ? '⌘Enter' : 'Ctrl+Enter';

/** What becomes of one file, as far as it is not decided. */
interface File {
  change: Change;
  proposed: vscode.Uri;
}

interface Shown {
  number: number;
  files: File[];
  typing: Typing;
  apply: (changes: Change[]) => Promise<void>;
  applied: boolean;
  /** Close it: nothing more is to be decided. */
  end: () => void;
  fail: (error: unknown) => void;
}

export class Preview
  implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.Disposable
{
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly lenses = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.lenses.event;
  private number = 0;
  private shown: Shown | undefined;
  private readonly subscriptions: vscode.Disposable[];

  /** `guarded` runs a command and tells what goes wrong; `why` shows what was asked and answered. */
  constructor(guarded: (run: () => unknown) => Promise<void>, why: () => Promise<void>) {
    const on = (id: string, run: (...given: never[]) => unknown) =>
      vscode.commands.registerCommand(id, (...given: never[]) => guarded(() => run(...given)));
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this),
      on('twotrack.applyProposal', () => this.applyAll()),
      on('twotrack.discardProposal', () => this.shown?.end()),
      on('twotrack.applyHunk', (file: File, hunk: number) => this.decide(file, hunk, true)),
      on('twotrack.discardHunk', (file: File, hunk: number) => this.decide(file, hunk, false)),
      on('twotrack.whyHunk', why),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const file = this.shown?.files.find(({ change }) => change.document === document);
        if (file) {
          this.draw(file);
        }
      }),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        const shown = this.shown;
        if (shown && closed.some((tab) => isPart(tab, shown.number))) {
          shown.end();
        }
      }),
    ];
  }

  /**
   * Show what would change until all is decided; closing the diff, or another, discards the rest.
   * Give whether anything was applied.
   */
  async decided(
    title: string,
    changes: readonly Change[],
    typing: Typing,
    apply: (changes: Change[]) => Promise<void>,
  ): Promise<boolean> {
    this.shown?.end();
    const number = ++this.number;
    const files = changes.map((change) => ({
      change,
      proposed: this.uri(change.uri, `proposed ${number}`),
    }));
    const shown: Shown = { number, files, typing, apply, applied: false, end: noop, fail: noop };
    const decision = new Promise<void>((end, fail) => Object.assign(shown, { end, fail }));
    this.shown = shown;
    try {
      for (const file of files) {
        await this.open(file, number, title);
      }
      await decision;
    } finally {
      if (this.shown === shown) {
        this.shown = undefined;
      }
      await this.close(number);
    }
    return shown.applied;
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const shown = this.shown;
    const file = shown?.files.find(
      ({ proposed }) => proposed.toString() === document.uri.toString(),
    );
    const change = file && this.present(file);
    if (!shown || !change) {
      return [];
    }
    const several = shown.files.flatMap(({ change }) => hunks(change)).length > 1;
    const key = several ? '' : ` (${KEY})`;
    return starts(change.replacements.slice(0, hunks(change).length)).flatMap((line, hunk) => {
      const range = new vscode.Range(line, 0, line, 0);
      const lens = (title: string, command: string, ...given: unknown[]) =>
        new vscode.CodeLens(range, { title, command: `twotrack.${command}`, arguments: given });
      return [
        lens(`$(check) Apply${key}`, 'applyHunk', file, hunk),
        lens('$(discard) Discard', 'discardHunk', file, hunk),
        lens('$(question) Why', 'whyHunk'),
        ...(several ? [lens(`$(check-all) Apply All (${KEY})`, 'applyProposal')] : []),
      ];
    });
  }

  dispose(): void {
    this.shown?.end();
    vscode.Disposable.from(...this.subscriptions, this.changed, this.lenses).dispose();
  }

  private async open({ change, proposed }: File, number: number, title: string): Promise<void> {
    this.texts.set(proposed.toString(), after(change));
    const empty = this.uri(change.uri, `empty ${number}`);
    const name = plain(path.basename(change.uri.path));
    await vscode.commands.executeCommand(
      'vscode.diff',
      change.document ? change.uri : empty,
      proposed,
      `${name}: ${plain(title)}`,
      { preview: false },
    );
  }

  private async applyAll(): Promise<void> {
    const shown = this.shown;
    if (!shown) {
      return;
    }
    try {
      await shown.apply(shown.files.map(({ change }) => change));
      shown.applied = true;
      shown.end();
    } catch (error) {
      shown.fail(error);
    }
  }

  /** Apply or discard one hunk; the others stay to be decided. */
  private async decide(file: File, hunk: number, apply: boolean): Promise<void> {
    const shown = this.shown;
    if (!shown?.files.includes(file)) {
      return;
    }
    const { change } = file;
    const decided = hunks(change)[hunk] ?? [];
    if (apply) {
      await shown.apply([{ ...change, replacements: decided }]);
      shown.applied = true;
    }
    const replacements = change.replacements.filter((each) => !decided.includes(each));
    file.change = { ...change, replacements };
    if (replacements.length === 0) {
      shown.files = shown.files.filter((other) => other !== file);
    }
    if (shown.files.length === 0) {
      shown.end();
    }
    this.draw(file);
  }

  /** Show what is proposed as it is now: hunks were decided, or the text has changed. */
  private draw(file: File): void {
    const change = this.present(file);
    if (change) {
      this.texts.set(file.proposed.toString(), after(change));
      this.changed.fire(file.proposed);
    }
    this.lenses.fire();
  }

  /** A change as it fits the present text; undefined where what was typed touches it. */
  private present(file: File): Change | undefined {
    try {
      return this.shown?.typing.moved(file.change);
    } catch {
      return undefined;
    }
  }

  /** The path stays the file's own: the language goes by it. */
  private uri(uri: vscode.Uri, query: string): vscode.Uri {
    return uri.with({ scheme: SCHEME, query, authority: '', fragment: '' });
  }

  private async close(number: number): Promise<void> {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(tabs.filter((tab) => isPart(tab, number)));
    for (const key of [...this.texts.keys()]) {
      if (numberOf(vscode.Uri.parse(key)) === number) {
        this.texts.delete(key);
      }
    }
  }
}

function noop(): void {}

/** What is decided at once: each replacement, or all of a file that is to be made. */
function hunks({ document, replacements }: Change): Change['replacements'][] {
  return document ? replacements.map((each) => [each]) : [replacements];
}

/** Whether a tab shows a part of the preview with this number. */
function isPart({ input }: vscode.Tab, number: number): boolean {
  return (
    input instanceof vscode.TabInputTextDiff &&
    input.modified.scheme === SCHEME &&
    numberOf(input.modified) === number
  );
}

function numberOf({ query }: vscode.Uri): number {
  return Number(query.split(' ').at(-1));
}
