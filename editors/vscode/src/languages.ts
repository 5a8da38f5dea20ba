/** Completions on or off, language by language, as the settings say. */

import * as vscode from 'vscode';

const SWITCH = 'completions';
const ONLY = 'completion.languages';

/** Whether settings of this name say where completions are wanted. */
export function affected(event: vscode.ConfigurationChangeEvent): boolean {
  return (
    event.affectsConfiguration(`twotrack.${SWITCH}`) ||
    event.affectsConfiguration(`twotrack.${ONLY}`)
  );
}

/** Where people write code: what the server is told of. */
export const SCHEMES = ['file', 'untitled', 'vscode-notebook-cell'];

/** Whether the server is told of a document. */
export function servable(document: vscode.TextDocument): boolean {
  return SCHEMES.includes(document.uri.scheme);
}

/** The document in the active editor, if the server is told of it. */
export function served(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document && servable(document) ? document : undefined;
}

/** Whether completions are wanted in a document. */
export function wanted(document: vscode.TextDocument): boolean {
  const only = settings(document).get<string[]>(ONLY, []);
  return switched(document).on && (only.length === 0 || only.includes(document.languageId));
}

/** Turn completions on or off for the language of a document, in the person's own settings. */
export async function toggle(document: vscode.TextDocument): Promise<void> {
  const { languageId } = document;
  const configuration = settings(document);
  const { Global } = vscode.ConfigurationTarget;
  if (wanted(document)) {
    await configuration.update(SWITCH, false, Global, true);
    return;
  }
  // What the default says anyway need not be written down.
  const value = switched(document).everywhere ? undefined : true;
  await configuration.update(SWITCH, value, Global, true);
  const only = configuration.get<string[]>(ONLY, []);
  if (only.length > 0 && !only.includes(languageId)) {
    await configuration.update(ONLY, [...only, languageId], Global);
  }
  if (!wanted(document)) {
    throw new Error(
      `The settings of this workspace turn completions off for ${languageId}; change them there.`,
    );
  }
}

function switched(document: vscode.TextDocument): { on: boolean; everywhere: boolean } {
  const found = settings(document).inspect<boolean>(SWITCH);
  const everywhere = found?.globalValue ?? true;
  const person = found?.globalLanguageValue ?? everywhere;
  // A repository may turn them off; it does not turn on what the person has turned off.
  const workspace =
    found?.workspaceFolderLanguageValue ??
    found?.workspaceLanguageValue ??
    found?.workspaceFolderValue ??
    found?.workspaceValue ??
    true;
  return { on: person && workspace, everywhere };
}

function settings(document: vscode.TextDocument): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration('twotrack', document);
}
