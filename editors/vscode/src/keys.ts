/** API keys: kept in VS Code's secret storage, handed to the server in its environment. */

import * as vscode from 'vscode';

import providers from './providers.json';

const NAMES = 'keys';
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export class Keys implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  /** A key was set or removed, in this window or another. */
  readonly onDidChange = this.changed.event;
  private readonly subscription: vscode.Disposable;

  constructor(private readonly context: vscode.ExtensionContext) {
    this.subscription = context.secrets.onDidChange(() => this.changed.fire());
  }

  /** The variables to add to the server's environment. */
  async environment(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of this.names()) {
      const key = await this.context.secrets.get(name);
      if (key) {
        found[name] = key;
      }
    }
    // The person gave these to twotrack by name: it need not ask before it uses them.
    return { ...found, TWOTRACK_KEYS_GIVEN: Object.keys(found).join(',') };
  }

  /** Ask which provider, and for its key. */
  async set(): Promise<void> {
    const variable = await this.choose();
    if (variable) {
      await this.ask(variable);
    }
  }

  /** Whether there is a key under a variable's name. */
  has(variable: string): boolean {
    return this.names().includes(variable) || Boolean(process.env[variable]);
  }

  /** Ask for the key of a variable; whether there is one now. */
  async ask(variable: string): Promise<boolean> {
    const key = await vscode.window.showInputBox({
      title: `Twotrack: ${variable}`,
      prompt: 'It is kept in the secret storage of VS Code, and given to the server alone.',
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) => (text.trim() ? undefined : 'A key is not empty.'),
    });
    if (key) {
      // The name first: whoever hears of the secret reads the names.
      await this.context.globalState.update(NAMES, [...new Set([...this.names(), variable])]);
      await this.context.secrets.store(variable, key.trim());
    }
    return Boolean(key);
  }

  /** Ask which key to forget. */
  async remove(): Promise<void> {
    const names = this.names();
    if (names.length === 0) {
      void vscode.window.showInformationMessage('Twotrack keeps no API key.');
      return;
    }
    const name = await vscode.window.showQuickPick(names, {
      title: 'Twotrack: which API key is to be removed?',
    });
    if (name) {
      await this.context.globalState.update(
        NAMES,
        names.filter((each) => each !== name),
      );
      await this.context.secrets.delete(name);
    }
  }

  private names(): string[] {
    return this.context.globalState.get<string[]>(NAMES, []);
  }

  private async choose(): Promise<string | undefined> {
    const kept = this.names();
    const configured = vscode.workspace
      .getConfiguration('twotrack')
      .get<Record<string, { api_key_env?: string }>>('models', {});
    const own = Object.entries(configured).flatMap(([title, { api_key_env: variable }]) =>
      variable && VARIABLE.test(variable) ? [{ title, variable }] : [],
    );
    const known = providers.flatMap(({ title, variable }) =>
      variable ? [{ title, variable }] : [],
    );
    const items = [...own, ...known].map(({ title, variable }) => ({
      label: title,
      description: variable,
      detail: kept.includes(variable) ? 'Kept; a new one replaces it.' : '',
    }));
    const other = { label: 'Another…', description: 'the variable that a model names', detail: '' };
    const chosen = await vscode.window.showQuickPick([...items, other], {
      title: 'Twotrack: whose API key?',
      matchOnDescription: true,
    });
    return chosen === other ? this.name() : chosen?.description;
  }

  private async name(): Promise<string | undefined> {
    return vscode.window.showInputBox({
      title: 'Twotrack: name of the environment variable',
      prompt: 'As api_key_env of the model names it.',
      validateInput: (text) =>
        VARIABLE.test(text) ? undefined : 'Letters, digits and underscores, no digit first.',
    });
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }
}
