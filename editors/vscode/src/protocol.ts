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

/** One question that was sent lately. */
export interface SentRequest {
  at: string;
  task: string;
  model: string;
  path: string;
  prompt: string;
  answer: string;
  ms: number;
  costUsd: number | null;
}

export type ChoosableTrack = 'fast' | 'strong';
