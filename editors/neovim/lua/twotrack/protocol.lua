---@meta twotrack.protocol
-- What the server offers beyond LSP. Made of lsp/extensions.py by `make format`.
-- JSON's null is vim.NIL in a notification, and nothing in an answer.

--- What a plug-in asks for in `capabilities.experimental.twotrack` of `initialize`.
---@class twotrack.ClientCapabilities
---@field events? boolean Whether the server sends its own notifications; else it uses `window/showMessage`.

--- Why something failed, short enough for a message: the `data` of an error.
---@class twotrack.Reason
---@field reason string At most 80 characters, without the model's or the provider's own words.
---@field remedy? twotrack.Remedy What mends it.
---@field model? string The model at fault, by its name in the settings.

--- What a person can do about a failure, in the editor.
---@alias twotrack.Remedy "key"|"model"|"add"|"start"|"settings"

--- What the server is doing, with which models, and what was spent.
---@class twotrack.Status
---@field busy integer Questions to models that are under way.
---@field paused boolean Whether all completions are paused.
---@field pauses twotrack.Pause[] What is paused, the oldest first.
---@field spentToday number In USD.
---@field spentMonth number In USD.
---@field budgetDay? number The limit of a day in USD.
---@field budgetMonth? number The limit of a month in USD.
---@field last? twotrack.LastAnswer
---@field tasks table<string, twotrack.TaskRoute> By the task's name.
---@field models twotrack.ModelInfo[]
---@field noModel? string Why no model completes; null if one does.
---@field problems string[] What is wrong with the settings, a sentence each.
---@field ledger string The path of the ledger's file.

--- Completions that are paused: all, or those in one language or some files.
---@class twotrack.Pause
---@field language? string
---@field files? string A pattern in gitignore syntax.
---@field until? string ISO 8601 in UTC; null: until they are resumed.

--- The answer that came last.
---@class twotrack.LastAnswer
---@field task string
---@field track twotrack.Track
---@field model string Its name in the settings.
---@field ms number Milliseconds from the question to the end of the answer.
---@field costUsd? number In USD; null if the model's price is unknown, 0 for a local model.

--- Which kind of model serves: none, a low-latency one, or a capable one.
---@alias twotrack.Track "recall"|"fast"|"strong"

--- Who serves a task.
---@class twotrack.TaskRoute
---@field track twotrack.Track
---@field models string[] Names in the settings, in the order in which they are asked.
---@field using? string The first that would be asked now.
---@field chosen boolean Whether `twotrack/useModel` chose it.

--- A model that can be chosen.
---@class twotrack.ModelInfo
---@field name string Its name in the settings.
---@field provider string
---@field model string The provider's id of it.
---@field ["local"] boolean Whether it runs on this machine.
---@field problem? string Why it was not used the last time.

--- Whether completions are to be paused, and which.
---@class twotrack.PauseParams
---@field paused boolean
---@field minutes? number For so long; null: until they are resumed.
---@field language? string Those in one language, by LSP's id of it.
---@field files? string Those in files whose path fits a pattern in gitignore syntax. Without both: all.

--- Which model a track is to ask first.
---@class twotrack.UseModelParams
---@field track "fast"|"strong"
---@field model? string Its name in the settings; null: as the settings say.

--- A place in an open document.
---@class twotrack.SubjectParams
---@field textDocument lsp.TextDocumentIdentifier
---@field range lsp.Range What is selected, or the cursor twice.

--- What an edit would be about.
---@class twotrack.Subject
---@field subject string The name of a definition, "the selection", or "the code at the cursor".

--- What is to be done at a place.
---@class twotrack.EditParams
---@field textDocument lsp.TextDocumentIdentifier
---@field range lsp.Range What is selected, or the cursor twice.
---@field task string The name of a code action, such as "refactor".
---@field instruction? string What to change: the task "refactor" needs it.
---@field diagnostic? string The message of what is to be fixed: the task "fix" needs it, or a diagnostic there.

--- An edit to be shown and applied, or a text to be read.
---@class twotrack.EditResult
---@field title string What was done, in words.
---@field edit? lsp.WorkspaceEdit For the documents as they are now; null: nothing to edit.
---@field text? string Markdown to read, where there is some.
---@field model string Its name in the settings.
---@field ms number Milliseconds from the question to the end of the answer.
---@field costUsd? number In USD; null if the model's price is unknown, 0 for a local model.

--- The last requests to models, the newest first: as data, and as a page to read.
---@class twotrack.SentPage
---@field markdown string
---@field requests twotrack.SentRequest[]

--- One request to a model.
---@class twotrack.SentRequest
---@field at string When it was sent: ISO 8601 in UTC.
---@field task string
---@field model string Its name in the settings.
---@field path string The file that is completed, as the model was told it; empty in a conversation.
---@field prompt string What was sent, as text for people.
---@field answer string As far as it came.
---@field ms number Milliseconds to the end of the answer.
---@field costUsd? number In USD; null if it is unknown.
---@field outcome string "answered", "abandoned", or the name of the failure.
---@field sources string[] The files that the prompt shows, as the model was told their names.
---@field redacted integer Secrets that the prompt hides.

--- A page to read.
---@class twotrack.Page
---@field markdown string

--- Which completion is on the screen, or was rejected.
---@class twotrack.ShownParams
---@field item twotrack.ShownItem

--- A completion, as the server gave it.
---@class twotrack.ShownItem
---@field command lsp.Command Its arguments tell one completion from the next.

--- How much of a completion was accepted.
---@class twotrack.PartlyAcceptedParams
---@field item twotrack.ShownItem
---@field acceptedLength integer UTF-16 units from the start of its text, earlier parts included.

--- It has no fields.
---@class twotrack.Ready

--- What the person must know of, once.
---@class twotrack.Notice
---@field reason string At most 80 characters, without the model's or the provider's own words.
---@field remedy? twotrack.Remedy What mends it.
---@field model? string The model at fault, by its name in the settings.
---@field type lsp.MessageType 1 is an error, 2 a warning.
---@field message string All that is known of it, for a log.

--- One question of the user was answered.
---@class twotrack.Answered
---@field task string
---@field track twotrack.Track
---@field source twotrack.AnswerSource Where the answer came from.
---@field model string The model's name in the settings.
---@field askedModel string The model id that was asked for.
---@field answeredModel string The model id that the provider says it used (a router may choose).
---@field firstTokenMs number Milliseconds from the question to the first token.
---@field totalMs number Milliseconds from the question to the end of the answer.
---@field usage twotrack.Usage
---@field costUsd? number In USD; null if the model's price is unknown, 0 for a local model.
---@field language string LSP's language id of the file in question.

--- Where an answer came from.
---@alias twotrack.AnswerSource "model"|"recall"|"cache"|"typed-through"

--- Tokens of one request, as the provider counts them.
---@class twotrack.Usage
---@field inputTokens integer All of the prompt: new, read from the provider's cache, and written to it.
---@field cachedTokens integer Of the input: read from the cache.
---@field cacheWriteTokens integer Of the input: written to the cache, where the provider charges for that.
---@field cacheWrite1hTokens integer Of those written: kept for an hour, which costs more.
---@field outputTokens integer All that was generated, reasoning included.
---@field reasoningTokens integer Of the output: thoughts that are charged but not shown.
---@field estimated boolean Whether the provider did not report it all (a stream that was cut early).
---@field chargedUsd? number What the provider itself says that the request cost, in USD (OpenRouter).

--- A completion whose first line is shown, and of which there is more.
---@class twotrack.DidExtend
---@field textDocument lsp.VersionedTextDocumentIdentifier
---@field position lsp.Position Where what is shown stands: what was typed of it is before that.

--- A local model is being loaded.
---@class twotrack.ModelLoading
---@field model string The model's name in the settings.
---@field done boolean Whether it serves now, or failed.
---@field problem string Why it failed; empty if it did not.

--- What an editor asks.
---@alias twotrack.Request "twotrack/status"|"twotrack/pause"|"twotrack/useModel"|"twotrack/subject"|"twotrack/edit"|"twotrack/requests"|"twotrack/ledger"
