/** "Add a Model": asks which provider, model and key, and writes the person's settings. */

import * as vscode from 'vscode';

import type { Keys } from './keys';
import providers from './providers.json';

type Provider = (typeof providers)[number];
type Entry = Record<string, unknown> & { provider: string; model: string };

/** Ask for a model and put it into the settings; nothing is written where the person stops. */
export async function addModel(keys: Keys): Promise<void> {
  const provider = await chooseProvider();
  const url = provider && (provider.url || (await askUrl()));
  const model = provider && url && (await chooseModel(provider));
  if (!model) {
    return;
  }
  if (provider.variable && !keys.has(provider.variable) && !(await keys.ask(provider.variable))) {
    return;
  }
  const own = provider.url ? {} : { base_url: url };
  await write({ provider: provider.provider, model, ...own });
}

async function chooseProvider(): Promise<Provider | undefined> {
  const items = providers.map((provider) => ({
    label: provider.title,
    description: provider.variable ? '' : provider.url && 'on this machine',
    provider,
  }));
  const title = 'Twotrack: a model of which provider?';
  return (await vscode.window.showQuickPick(items, { title }))?.provider;
}

function askUrl(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'Twotrack: where does its API start?',
    placeHolder: 'http://127.0.0.1:8080/v1',
    ignoreFocusOut: true,
    validateInput: (text) =>
      /^https?:\/\/[^\s?#@]+$/.test(text) ? undefined : 'An http:// or https:// URL.',
  });
}

async function chooseModel({ title, fast, strong }: Provider): Promise<string | undefined> {
  const known = [
    { label: fast, description: fast === strong ? '' : 'fast, while you type' },
    { label: strong, description: 'strong, when you ask' },
  ].filter(({ label }, number, all) => label && (number === 0 || label !== all[0]!.label));
  const other = { label: 'Another…', description: '' };
  const chosen = known.length
    ? await vscode.window.showQuickPick([...known, other], {
        title: `Twotrack: which model of ${title}?`,
      })
    : other;
  return chosen === other
    ? vscode.window.showInputBox({
        title: `Twotrack: which model of ${title}?`,
        prompt: "The provider's id of the model.",
        ignoreFocusOut: true,
        validateInput: (text) => (text.trim() ? undefined : 'An id is not empty.'),
      })
    : chosen?.label;
}

/** Add an entry under its model's id; a route that is set has it first, else nobody would ask it. */
async function write(entry: Entry): Promise<void> {
  const settings = vscode.workspace.getConfiguration('twotrack');
  const { Global } = vscode.ConfigurationTarget;
  const models = settings.inspect<Record<string, unknown>>('models')?.globalValue ?? {};
  const base = entry.model.split('/').at(-1)!;
  let name = base;
  for (let number = 2; name in models; number++) {
    name = `${base}-${number}`;
  }
  await settings.update('models', { ...models, [name]: entry }, Global);
  for (const track of ['routes.fast', 'routes.strong']) {
    const route = settings.inspect<string[]>(track)?.globalValue ?? [];
    if (route.length) {
      await settings.update(track, [name, ...route], Global);
    }
  }
}
