/** What the server offers beyond LSP. Made of lsp/extensions.py by `make format`. */

import type {
  Command,
  MessageType,
  Position,
  PublishDiagnosticsParams,
  Range,
  TextDocumentIdentifier,
  VersionedTextDocumentIdentifier,
  WorkspaceEdit,
} from 'vscode-languageclient';

/** What a plug-in asks for in `capabilities.experimental.twotrack` of `initialize`. */
export interface ClientCapabilities {
  /** Whether the server sends its own notifications; else it uses `window/showMessage`. */
  events?: boolean;
}

/** Why something failed, short enough for a message: the `data` of an error. */
export interface Reason {
  /** At most 80 characters, without the model's or the provider's own words. */
  reason: string;
  /** What mends it. */
  remedy: Remedy | null;
  /** The model at fault, by its name in the settings. */
  model: string | null;
}

/** What a person can do about a failure, in the editor. */
export type Remedy = 'key' | 'model' | 'add' | 'start' | 'settings';

/** What the server is doing, with which models, and what was spent. */
export interface Status {
  /** Questions to models that are under way. */
  busy: number;
  /** Whether all completions are paused. */
  paused: boolean;
  /** What is paused, the oldest first. */
  pauses: Pause[];
  /** In USD. */
  spentToday: number;
  /** In USD. */
  spentMonth: number;
  /** The limit of a day in USD. */
  budgetDay: number | null;
  /** The limit of a month in USD. */
  budgetMonth: number | null;
  last: LastAnswer | null;
  /** By the task's name. */
  tasks: Record<string, TaskRoute>;
  models: ModelInfo[];
  /** Why no model completes; null if one does. */
  noModel: string | null;
  /** What is wrong with the settings, a sentence each. */
  problems: string[];
  /** The path of the ledger's file. */
  ledger: string;
}

/** Completions that are paused: all, or those in one language or some files. */
export interface Pause {
  language: string | null;
  /** A pattern in gitignore syntax. */
  files: string | null;
  /** ISO 8601 in UTC; null: until they are resumed. */
  until: string | null;
}

/** The answer that came last. */
export interface LastAnswer {
  task: string;
  track: Track;
  /** Its name in the settings. */
  model: string;
  /** Milliseconds from the question to the end of the answer. */
  ms: number;
  /** In USD; null if the model's price is unknown, 0 for a local model. */
  costUsd: number | null;
}

/** Which kind of model serves: none, a low-latency one, or a capable one. */
export type Track = 'recall' | 'fast' | 'strong';

/** Who serves a task. */
export interface TaskRoute {
  track: Track;
  /** Names in the settings, in the order in which they are asked. */
  models: string[];
  /** The first that would be asked now. */
  using: string | null;
  /** Whether `twotrack/useModel` chose it. */
  chosen: boolean;
}

/** A model that can be chosen. */
export interface ModelInfo {
  /** Its name in the settings. */
  name: string;
  provider: string;
  /** The provider's id of it. */
  model: string;
  /** Whether it runs on this machine. */
  local: boolean;
  /** Why it was not used the last time. */
  problem: string | null;
}

/** Whether completions are to be paused, and which. */
export interface PauseParams {
  paused: boolean;
  /** For so long; null: until they are resumed. */
  minutes?: number | null;
  /** Those in one language, by LSP's id of it. */
  language?: string | null;
  /** Those in files whose path fits a pattern in gitignore syntax. Without both: all. */
  files?: string | null;
}

/** Which model a track is to ask first. */
export interface UseModelParams {
  track: 'fast' | 'strong';
  /** Its name in the settings; null: as the settings say. */
  model?: string | null;
}

/** A place in an open document. */
export interface SubjectParams {
  textDocument: TextDocumentIdentifier;
  /** What is selected, or the cursor twice. */
  range: Range;
}

/** What an edit would be about. */
export interface Subject {
  /** The name of a definition, "the selection", or "the code at the cursor". */
  subject: string;
}

/** What is to be done at a place. */
export interface EditParams {
  textDocument: TextDocumentIdentifier;
  /** What is selected, or the cursor twice. */
  range: Range;
  /** The name of a code action, such as "refactor". */
  task: string;
  /** What to change: the task "refactor" needs it. */
  instruction?: string | null;
  /** The message of what is to be fixed: the task "fix" needs it, or a diagnostic there. */
  diagnostic?: string | null;
}

/** An edit to be shown and applied, or a text to be read. */
export interface EditResult {
  /** What was done, in words. */
  title: string;
  /** For the documents as they are now; null: nothing to edit. */
  edit: WorkspaceEdit | null;
  /** Markdown to read, where there is some. */
  text: string | null;
  /** Its name in the settings. */
  model: string;
  /** Milliseconds from the question to the end of the answer. */
  ms: number;
  /** In USD; null if the model's price is unknown, 0 for a local model. */
  costUsd: number | null;
}

/** The last requests to models, the newest first: as data, and as a page to read. */
export interface SentPage {
  markdown: string;
  requests: SentRequest[];
}

/** One request to a model. */
export interface SentRequest {
  /** When it was sent: ISO 8601 in UTC. */
  at: string;
  task: string;
  /** Its name in the settings. */
  model: string;
  /** The file that is completed, as the model was told it; empty in a conversation. */
  path: string;
  /** What was sent, as text for people. */
  prompt: string;
  /** As far as it came. */
  answer: string;
  /** Milliseconds to the end of the answer. */
  ms: number;
  /** In USD; null if it is unknown. */
  costUsd: number | null;
  /** "answered", "abandoned", or the name of the failure. */
  outcome: string;
  /** The files that the prompt shows, as the model was told their names. */
  sources: string[];
  /** Secrets that the prompt hides. */
  redacted: number;
}

/** A page to read. */
export interface Page {
  markdown: string;
}

/** Which completion is on the screen, or was rejected. */
export interface ShownParams {
  item: ShownItem;
}

/** A completion, as the server gave it. */
export interface ShownItem {
  /** Its arguments tell one completion from the next. */
  command: Command;
}

/** How much of a completion was accepted. */
export interface PartlyAcceptedParams {
  item: ShownItem;
  /** UTF-16 units from the start of its text, earlier parts included. */
  acceptedLength: number;
}

/** It has no fields. */
export interface Ready {}

/** What the person must know of, once. */
export interface Notice {
  /** At most 80 characters, without the model's or the provider's own words. */
  reason: string;
  /** What mends it. */
  remedy: Remedy | null;
  /** The model at fault, by its name in the settings. */
  model: string | null;
  /** 1 is an error, 2 a warning. */
  type: MessageType;
  /** All that is known of it, for a log. */
  message: string;
}

/** One question of the user was answered. */
export interface Answered {
  task: string;
  track: Track;
  /** Where the answer came from. */
  source: AnswerSource;
  /** The model's name in the settings. */
  model: string;
  /** The model id that was asked for. */
  askedModel: string;
  /** The model id that the provider says it used (a router may choose). */
  answeredModel: string;
  /** Milliseconds from the question to the first token. */
  firstTokenMs: number;
  /** Milliseconds from the question to the end of the answer. */
  totalMs: number;
  usage: Usage;
  /** In USD; null if the model's price is unknown, 0 for a local model. */
  costUsd: number | null;
  /** LSP's language id of the file in question. */
  language: string;
}

/** Where an answer came from. */
export type AnswerSource = 'model' | 'recall' | 'cache' | 'typed-through';

/** Tokens of one request, as the provider counts them. */
export interface Usage {
  /** All of the prompt: new, read from the provider's cache, and written to it. */
  inputTokens: number;
  /** Of the input: read from the cache. */
  cachedTokens: number;
  /** Of the input: written to the cache, where the provider charges for that. */
  cacheWriteTokens: number;
  /** Of those written: kept for an hour, which costs more. */
  cacheWrite1hTokens: number;
  /** All that was generated, reasoning included. */
  outputTokens: number;
  /** Of the output: thoughts that are charged but not shown. */
  reasoningTokens: number;
  /** Whether the provider did not report it all (a stream that was cut early). */
  estimated: boolean;
  /** What the provider itself says that the request cost, in USD (OpenRouter). */
  chargedUsd: number | null;
}

/** A completion whose first line is shown, and of which there is more. */
export interface DidExtend {
  textDocument: VersionedTextDocumentIdentifier;
  /** Where what is shown stands: what was typed of it is before that. */
  position: Position;
}

/** A local model is being loaded. */
export interface ModelLoading {
  /** The model's name in the settings. */
  model: string;
  /** Whether it serves now, or failed. */
  done: boolean;
  /** Why it failed; empty if it did not. */
  problem: string;
}

/** What an editor asks. */
export interface Requests {
  /** What is being done, and what was spent. */
  'twotrack/status': { params: object; result: Status };
  /** Offer no completions, or offer them again. */
  'twotrack/pause': { params: PauseParams; result: Status };
  /** Ask a model first on a track, until the server ends or the settings change. */
  'twotrack/useModel': { params: UseModelParams; result: Status };
  /** Name what an edit there would be about, before the person is asked what to do. */
  'twotrack/subject': { params: SubjectParams; result: Subject };
  /** Ask a model for an edit or an explanation. Nothing is applied. The server shows its progress, and the request can be cancelled. */
  'twotrack/edit': { params: EditParams; result: EditResult };
  /** What was sent to models lately. */
  'twotrack/requests': { params: object; result: SentPage };
  /** What was spent in the last 30 days, and on what. */
  'twotrack/ledger': { params: object; result: Page };
}

/** What an editor tells. */
export interface ClientNotifications {
  /** What other servers report of a document, from an editor that gives a server its own diagnostics only. */
  'twotrack/didChangeDiagnostics': PublishDiagnosticsParams;
  /** A completion is on the screen. The name is that of Copilot's server. */
  'textDocument/didShowCompletion': ShownParams;
  /** The beginning of a completion was accepted. The name is that of Copilot's server. */
  'textDocument/didPartiallyAcceptCompletion': PartlyAcceptedParams;
  /** The person dismissed a completion: typing does not bring it back at its place. */
  'twotrack/didRejectCompletion': ShownParams;
}

/** What the server tells. */
export interface ServerNotifications {
  /** The models of the settings are known. Sent once. */
  'twotrack/ready': Ready;
  /** The status has changed. Sent five times a second at most, and always the last one. */
  'twotrack/didChangeStatus': Status;
  /** Something failed, or is wrong in the settings. */
  'twotrack/notice': Notice;
  /** A question was answered. Sent after it. */
  'twotrack/didAnswer': Answered;
  /** There is more of the ghost text at a place: who asks there again, as typing does, has it at once. */
  'twotrack/didExtend': DidExtend;
  /** A local model begins to load, and is loaded. */
  'twotrack/modelLoading': ModelLoading;
}
