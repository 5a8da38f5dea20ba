/** What the server offers beyond LSP: the shapes of its requests and notifications. */

import type { Range, WorkspaceEdit } from 'vscode-languageclient';

/** The state of the server, after every change and on request. */
export interface Status {
  busy: number;
  paused: boolean;
  spentToday: number;
  spentMonth: number;
  budgetDay: number | null;
  budgetMonth: number | null;
  last: LastAnswer | null;
  tasks: Record<string, TaskRoute>;
  models: ModelInfo[];
  /** Why no model completes; null where one does. */
  noModel: string | null;
  problems: string[];
  ledger: string;
}

export interface LastAnswer {
  task: string;
  track: string;
  model: string;
  ms: number;
  costUsd: number | null;
}

export interface TaskRoute {
  track: string;
  models: string[];
  /** The first that would be asked now. */
  using: string | null;
  /** Whether `twotrack/useModel` chose it. */
  chosen: boolean;
}

export interface ModelInfo {
  name: string;
  provider: string;
  model: string;
  local: boolean;
  problem: string | null;
}

export type EditTask = 'refactor' | 'document' | 'fix' | 'test' | 'simplify' | 'explain';

export interface EditParams {
  textDocument: { uri: string };
  range: Range;
  task: EditTask;
  instruction?: string;
  diagnostic?: string;
}

export interface EditResult {
  edit: WorkspaceEdit | null;
  /** Markdown to show, where nothing is to be edited. */
  text: string | null;
  title: string;
  model: string;
  ms: number;
  costUsd: number | null;
}

/** Why something failed; also the `data` of an error, but for its type and message. */
export interface Notice {
  /** LSP's MessageType: 1 is an error, 2 a warning. */
  type: number;
  /** All that is known of it, for the output. */
  message: string;
  /** At most 80 characters. */
  reason: string;
  remedy: string | null;
  model: string | null;
}

/** A page to read: what was sent, or what was spent. */
export interface Page {
  markdown: string;
}

export type ChoosableTrack = 'fast' | 'strong';
