;;; twotrack.el --- AI completions and edits with your own models -*- lexical-binding: t; -*-

;; Author: The twotrack authors
;; Version: 0.1.0
;; URL: https://github.com/twotrack/twotrack
;; Package-Requires: ((emacs "30.1"))
;; Keywords: convenience, languages, tools
;; SPDX-License-Identifier: MIT

;; This file is not part of GNU Emacs.

;;; Commentary:

;; Eglot speaks to the language server twotrack without this file, which adds
;; what Eglot does not have: ghost text, edits by an instruction with a preview,
;; and the server's state in the mode line.  Let Eglot start the server as a
;; `twotrack-server':
;;
;;     (require 'twotrack)
;;     (add-to-list 'eglot-server-programs
;;                  '((python-mode python-ts-mode) . (twotrack-server "twotrack")))
;;
;; `twotrack-mode' is then on in the buffers that the server manages.  While
;; ghost text is shown, TAB accepts it, M-<right> its next word, M-<down> its
;; next line, C-g takes it away; otherwise these keys are what they always are.

;;; Code:

(require 'cl-lib)
(require 'comint)
(require 'diff)
(require 'eglot)
(require 'eieio)
(require 'flymake)
(require 'rmc)

(defgroup twotrack nil
  "AI completions and edits with your own models."
  :group 'eglot
  :prefix "twotrack-")

(defcustom twotrack-idle-delay 0.05
  "Seconds without a key after which ghost text is asked for.
The server awaits a pause in typing itself; this spares it what is
outdated at once."
  :type '(choice number (const :tag "Only by `twotrack-complete'" nil)))

(defface twotrack-ghost '((t :inherit shadow))
  "Face of ghost text.")

;;;; The protocol

;; protocol:begin

(eval-and-compile
  (defconst twotrack--protocol
    '((ClientCapabilities :events)
      (Reason :reason :remedy :model)
      (Status :busy :paused :pauses :spentToday :spentMonth :budgetDay
       :budgetMonth :last :tasks :models :noModel :problems :ledger)
      (Pause :language :files :until)
      (LastAnswer :task :track :model :ms :costUsd)
      (TaskRoute :track :models :using :chosen)
      (ModelInfo :name :provider :model :local :problem)
      (PauseParams :paused :minutes :language :files)
      (UseModelParams :track :model)
      (SubjectParams :textDocument :range)
      (Subject :subject)
      (EditParams :textDocument :range :task :instruction :diagnostic)
      (EditResult :title :edit :text :model :ms :costUsd)
      (SentPage :markdown :requests)
      (SentRequest :at :task :model :path :prompt :answer :ms :costUsd :outcome
       :sources :redacted)
      (Page :markdown)
      (ShownParams :item)
      (ShownItem :command)
      (PartlyAcceptedParams :item :acceptedLength)
      (Notice :reason :remedy :model :type :message)
      (Answered :task :track :source :model :askedModel :answeredModel
       :firstTokenMs :totalMs :usage :costUsd :language)
      (Usage :inputTokens :cachedTokens :cacheWriteTokens :cacheWrite1hTokens
       :outputTokens :reasoningTokens :estimated :chargedUsd)
      (DidExtend :textDocument :position)
      (ModelLoading :model :done :problem))
    "The keys of each type of message, made of lsp/extensions.py by `make format'."))

;; protocol:end

(defmacro twotrack--get (type key message)
  "Return what is at KEY in MESSAGE, a plist of TYPE as the protocol has it."
  (unless (memq key (alist-get type twotrack--protocol))
    (error "The protocol has no %s in %s" key type))
  `(plist-get ,message ,key))

(defmacro twotrack--params (type &rest plist)
  "Return PLIST as a list, whose keys are of TYPE as the protocol has it."
  (cl-loop for (key _) on plist by #'cddr
           unless (memq key (alist-get type twotrack--protocol))
           do (error "The protocol has no %s in %s" key type))
  `(list ,@plist))

;;;; The server

(defclass twotrack-server (eglot-lsp-server)
  ((status :initform nil)               ; what the server said of itself last, a plist
   (editing :initform nil))             ; the id of the edit under way
  "The language server twotrack.")

(cl-defmethod eglot-client-capabilities ((_server twotrack-server))
  "Announce ghost text and events to the server; code actions come as commands.
Eglot would wait for the model to resolve one, and Emacs with it."
  (let* ((all (cl-call-next-method))
         (document (plist-get all :textDocument))
         (action (plist-get document :codeAction)))
    (plist-put action :resolveSupport '(:properties []))
    (plist-put document :inlineCompletion '(:dynamicRegistration :json-false))
    (plist-put all :experimental (list :twotrack (twotrack--params ClientCapabilities :events t)))))

(cl-defmethod eglot-handle-notification
  ((server twotrack-server) (_method (eql twotrack/didChangeStatus)) &rest status)
  "Note the new STATUS of SERVER."
  (setf (oref server status) status)
  (force-mode-line-update t))

(cl-defmethod eglot-handle-notification
  ((_server twotrack-server) (_method (eql twotrack/notice)) &rest notice)
  "Say why something failed, by NOTICE, and what mends it."
  (twotrack--complain notice))

(cl-defmethod eglot-handle-notification
  ((server twotrack-server) (_method (eql twotrack/didExtend)) &rest more)
  "Ask SERVER again where there is MORE of the ghost text, if that is shown."
  (let* ((uri (plist-get (twotrack--get DidExtend :textDocument more) :uri))
         (buffer (find-buffer-visiting (eglot-uri-to-path uri))))
    (when buffer
      (with-current-buffer buffer
        (when (and (eq server (twotrack--running)) (twotrack--shown-p)
                   (= (point) (eglot--lsp-position-to-point
                               (twotrack--get DidExtend :position more))))
          (twotrack--request 2))))))

(cl-defmethod eglot-handle-request
  ((_server twotrack-server) (_method (eql window/showDocument)) &key uri &allow-other-keys)
  "Show the page at URI: no other documents come from the server."
  (let ((text (with-temp-buffer
                (let ((coding-system-for-read 'utf-8-unix))
                  (insert-file-contents (eglot-uri-to-path uri)))
                (buffer-string))))
    (run-with-timer 0 nil #'twotrack--page text)
    '(:success t)))

(cl-defmethod eglot-handle-request :before
  ((server twotrack-server) (_method (eql workspace/applyEdit)) &rest _)
  "Let Eglot refuse an edit of a text that is older than what SERVER was told.
It counts a change when it sends it, which may be half a second later."
  (dolist (buffer (eglot--managed-buffers server))
    (when (buffer-live-p buffer)
      (with-current-buffer buffer (eglot--track-changes-fetch eglot--track-changes)))))

(defconst twotrack--remedies
  '(("key" . twotrack-setup) ("add" . twotrack-setup) ("settings" . twotrack-setup)
    ("model" . twotrack-model) ("start" . twotrack-model))
  "The command that mends a failure, by the server's name for what does.")

(defun twotrack--complain (notice)
  "Say the reason of NOTICE, and the command that mends it."
  (let ((remedy (cdr (assoc (twotrack--get Notice :remedy notice) twotrack--remedies))))
    (message "twotrack: %s%s" (or (twotrack--get Notice :reason notice)
                                 (twotrack--get Notice :message notice))
             (if remedy (format " M-x %s" remedy) ""))))

(defun twotrack--server ()
  "Return the server of this buffer, or signal an error for the person."
  (or (twotrack--running) (user-error "This buffer has no twotrack server; see M-x eglot")))

(defun twotrack--running ()
  "Return the server of this buffer if it is ours and alive, else nil."
  ;; Eglot names a project's server also in buffers that it has not told it of.
  (let ((server (and (eglot-managed-p) (eglot-current-server))))
    (and (cl-typep server 'twotrack-server) (jsonrpc-running-p server) server)))

(defun twotrack--ask (server method params done &optional failed)
  "Ask SERVER by METHOD with PARAMS; call DONE with the result in this buffer.
FAILED is called with what went wrong, a plist, or it is shown.
Return the request's id."
  (let ((buffer (current-buffer))
        (failed (or failed #'twotrack--complain)))
    ;; Eglot sends changes when Emacs is idle; a question is about the text as it is.
    (eglot--signal-textDocument/didChange)
    (jsonrpc-async-request
     server method params
     :timeout nil                       ; the server answers everything, and has deadlines
     :success-fn (lambda (result)
                   (if (buffer-live-p buffer)
                       (with-current-buffer buffer (funcall done result))
                     (funcall failed '(:reason "The buffer is closed; nothing was changed."))))
     :error-fn (lambda (error)
                 (funcall failed (append (plist-get error :data) error))))
    (jsonrpc--next-request-id server)))

(defun twotrack--cancel (server id)
  "Tell SERVER that nobody waits for the request ID."
  (when (jsonrpc-running-p server)
    (jsonrpc-notify server :$/cancelRequest (list :id id))))

;;;; Ghost text

(defvar-local twotrack--overlay nil "Where ghost text is shown, or nil.")
(defvar-local twotrack--text nil "The whole text that the ghost proposes.")
(defvar-local twotrack--items nil "What is proposed here; the first is shown.")
(defvar-local twotrack--command nil "Tells the server that the ghost was accepted.")
(defvar-local twotrack--start nil "A marker: the text replaces what follows it.")
(defvar-local twotrack--end nil "A marker: the end of what is replaced, typed text included.")
(defvar-local twotrack--waiting nil "The id of the request under way.")
(defvar-local twotrack--timer nil "Asks when Emacs has been idle.")
(defvar-local twotrack--seen nil "Text and point, by `twotrack--now', after the last command.")

(defun twotrack--now ()
  "Return a value that is another one when the text or point is."
  (cons (buffer-chars-modified-tick) (point)))

(defun twotrack--shown-p ()
  "Whether ghost text is shown, for the text as it is."
  (and twotrack--overlay (equal twotrack--seen (twotrack--now))))

(defun twotrack--inserting-p ()
  "Whether keys insert text here: not where Evil takes them for commands."
  (and (not buffer-read-only)
       (memq (bound-and-true-p evil-state) '(nil insert replace emacs))))

(defun twotrack--clear ()
  "Take the ghost text away."
  (when twotrack--overlay
    (delete-overlay twotrack--overlay)
    (set-marker twotrack--start nil)
    (set-marker twotrack--end nil)
    (setq twotrack--overlay nil)))

(defun twotrack--rest ()
  "Return what of the ghost is not typed yet; nil where something else is."
  (let ((start (marker-position twotrack--start)))
    ;; Narrowing may have cut off what is replaced.
    (when (<= (point-min) start (point) twotrack--end (point-max))
      (let ((typed (buffer-substring-no-properties start (point))))
        (and (string-prefix-p typed twotrack--text)
             (< (length typed) (length twotrack--text))
             (substring twotrack--text (length typed)))))))

(defun twotrack--show ()
  "Show the ghost's rest at point, or clear it where there is none."
  (let ((rest (and twotrack--overlay (twotrack--rest))))
    (if (null rest)
        (twotrack--clear)
      (let* ((tail (buffer-substring-no-properties (point) twotrack--end))
             ;; What stands behind point already is not shown twice.
             (kept (string-suffix-p tail rest))
             (ghost (propertize (if kept (substring rest 0 (- (length rest) (length tail))) rest)
                                'face 'twotrack-ghost)))
        (if (string-empty-p ghost)
            (twotrack--clear)
          (put-text-property 0 1 'cursor t ghost) ; the cursor stays before it
          (move-overlay twotrack--overlay (point) (if kept (point) twotrack--end))
          (overlay-put twotrack--overlay 'invisible (not kept))
          (overlay-put twotrack--overlay 'before-string ghost))))))

(defun twotrack--offer (result)
  "Show the first of RESULT's items."
  (setq twotrack--items (append (if (vectorp result) result (plist-get result :items)) nil))
  (twotrack--offer-first))

(defun twotrack-next ()
  "Show another proposal; ask for others where there is one only."
  (interactive)
  (if (not (cdr twotrack--items))
      (twotrack-complete)
    (setq twotrack--items (append (cdr twotrack--items) (list (car twotrack--items))))
    (twotrack--offer-first)))

(defun twotrack--offer-first ()
  "Show the first of the items."
  (twotrack--clear)
  (when-let* ((item (car twotrack--items))
              (text (plist-get item :insertText)))
    (pcase-let ((`(,start . ,end) (if (plist-get item :range)
                                      (eglot-range-region (plist-get item :range))
                                    (cons (point) (point)))))
      (setq twotrack--text (if (stringp text) text (plist-get text :value))
            twotrack--command (plist-get item :command)
            twotrack--start (copy-marker start)
            twotrack--end (copy-marker end t)
            twotrack--seen (twotrack--now)
            twotrack--overlay (make-overlay (point) (point)))
      (overlay-put twotrack--overlay 'priority 100)
      (overlay-put twotrack--overlay 'twotrack t)
      (twotrack--show))))

(defun twotrack--request (kind)
  "Ask for ghost text at point; KIND is 1 for a person's wish, 2 for typing."
  (let ((server (twotrack--running)) (now (twotrack--now)) id)
    (when (and server (not buffer-read-only))
      (twotrack--drop)
      (setq id (twotrack--ask
                server :textDocument/inlineCompletion
                (append (eglot--TextDocumentPositionParams) `(:context (:triggerKind ,kind)))
                (lambda (result)
                  ;; An answer to a replaced question is none.
                  (when (eql id twotrack--waiting)
                    (setq twotrack--waiting nil)
                    (when (equal now (twotrack--now)) (twotrack--offer result))))
                #'ignore)
            twotrack--waiting id))))

(defun twotrack--drop ()
  "Give up the question under way, and the one that is planned."
  (when twotrack--timer
    (cancel-timer twotrack--timer)
    (setq twotrack--timer nil))
  (when twotrack--waiting
    (when-let* ((server (twotrack--running))) (twotrack--cancel server twotrack--waiting))
    (setq twotrack--waiting nil)))

(defun twotrack--plan ()
  "Ask for ghost text when Emacs has been idle for `twotrack-idle-delay'."
  (when twotrack-idle-delay
    (let ((buffer (current-buffer)) (now (twotrack--now)))
      (setq twotrack--timer
            (run-with-idle-timer
             twotrack-idle-delay nil
             (lambda ()
               (when (eq buffer (window-buffer))
                 (with-current-buffer buffer
                   (setq twotrack--timer nil)
                   (when (equal now (twotrack--now)) (twotrack--request 2))))))))))

(defun twotrack--after-command ()
  "Keep the ghost text while it is typed through; else ask anew."
  (let* ((before twotrack--seen) (now (twotrack--now))
         (typed (not (eql (car before) (car now)))))
    (setq twotrack--seen now)
    ;; Emacs would take a hook that fails off its list.
    (with-demoted-errors "twotrack: %S"
      (cond ((not (twotrack--inserting-p)) (twotrack-dismiss))
            ((equal before now))
            (t (twotrack--drop)
               (if typed (twotrack--show) (twotrack--clear))
               (when (and typed (null twotrack--overlay)) (twotrack--plan)))))))

(defun twotrack--tell-accepted (count)
  "Tell the server that COUNT characters of the ghost are accepted, from its start."
  (when-let* ((command twotrack--command) (server (twotrack--running)))
    (if (< count (length twotrack--text))
        (jsonrpc-notify
         server :textDocument/didPartiallyAcceptCompletion
         (list :item (list :command command)
               ;; UTF-16 units: two for what lies beyond the first plane.
               :acceptedLength (let ((text (substring twotrack--text 0 count)))
                                 (+ count (cl-count-if (lambda (c) (> c #xffff)) text)))))
      (jsonrpc-async-request server :workspace/executeCommand
                             (list :command (plist-get command :command)
                                   :arguments (plist-get command :arguments))
                             :success-fn #'ignore :error-fn #'ignore))))

(defun twotrack--insert (regexp)
  "Insert the ghost text up to the end of REGEXP; all of it where that is nil."
  (let* ((rest (or (and (twotrack--shown-p) (twotrack--rest))
                   (user-error "There is no ghost text")))
         (count (if (and regexp (string-match regexp rest)) (match-end 0) (length rest))))
    (twotrack--tell-accepted (+ (- (length twotrack--text) (length rest)) count))
    (if (< count (length rest))
        (progn (insert (substring rest 0 count)) (twotrack--show))
      (let ((end (marker-position twotrack--end)))
        (twotrack--clear)
        (delete-region (point) end)
        (insert rest)))
    ;; What follows is asked for when something is typed, not because of this.
    (setq twotrack--seen (twotrack--now))))

(defun twotrack-accept ()
  "Insert the ghost text."
  (interactive)
  (twotrack--insert nil))

(defun twotrack-accept-word ()
  "Insert the next word of the ghost text."
  (interactive)
  (twotrack--insert "\\`[ \t\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_ \t\n]+\\)"))

(defun twotrack-accept-line ()
  "Insert the ghost text up to the end of its next line."
  (interactive)
  (twotrack--insert "\\`\n*[^\n]+"))

(defun twotrack-dismiss (&optional unwanted)
  "Take the ghost text away.
UNWANTED: the person does not want it, and it is not shown there again."
  (interactive "p")
  (when-let* ((unwanted unwanted) (overlay twotrack--overlay) (command twotrack--command)
              (server (twotrack--running)))
    (jsonrpc-notify server :twotrack/didRejectCompletion (list :item (list :command command))))
  (twotrack--drop)
  (twotrack--clear))

(defun twotrack-complete ()
  "Ask for ghost text here and now."
  (interactive)
  (twotrack--server)
  (twotrack--request 1))

(defun twotrack--key (command)
  "Return a binding for COMMAND that is there while ghost text is shown."
  `(menu-item "" ,command :filter ,(lambda (one) (and (twotrack--shown-p) one))))

(defvar twotrack-mode-map
  (let ((map (make-sparse-keymap)))
    (dolist (pair '(("TAB" . twotrack-accept) ("<tab>" . twotrack-accept)
                    ("M-<right>" . twotrack-accept-word) ("M-<down>" . twotrack-accept-line)
                    ("C-g" . twotrack-dismiss)))
      (keymap-set map (car pair) (twotrack--key (cdr pair))))
    map)
  "Keys of `twotrack-mode'; all but ghost text's are yours to choose.")

;;;###autoload
(define-minor-mode twotrack-mode
  "Ghost text in a buffer whose Eglot server is a `twotrack-server'."
  :lighter (:eval (twotrack--lighter))
  (if twotrack-mode
      (progn
        (setq twotrack--seen (twotrack--now))
        (add-hook 'clone-indirect-buffer-hook #'twotrack--cloned nil t)
        (add-hook 'post-command-hook #'twotrack--after-command nil t))
    (remove-hook 'post-command-hook #'twotrack--after-command t)
    (twotrack-dismiss)))

(defun twotrack--cloned ()
  "Turn `twotrack-mode' off in a clone: the server knows the other buffer."
  (remove-overlays nil nil 'twotrack t)
  ;; These are the other buffer's.
  (setq twotrack--overlay nil twotrack--waiting nil twotrack--timer nil)
  (twotrack-mode -1))

(defun twotrack--managed ()
  "Follow Eglot: `twotrack-mode' is on where its server is ours."
  (let ((server (twotrack--running)))
    (cond (server
           (twotrack-mode 1)
           (unless (oref server status)
             (twotrack--ask server :twotrack/status eglot--{}
                            (lambda (status) (setf (oref server status) status))
                            #'ignore)))
          (twotrack-mode (twotrack-mode -1)))))

(add-hook 'eglot-managed-mode-hook #'twotrack--managed)

(defvar twotrack--setup-map
  (let ((map (make-sparse-keymap)))
    (keymap-set map "<mode-line> <mouse-1>" #'twotrack-setup)
    map)
  "What a click on the mode line does where no model completes.")

(defun twotrack--lighter ()
  "Return the mode line's text: the model, its state, the day's expense."
  (let* ((server (eglot-current-server))
         (status (and (cl-typep server 'twotrack-server) (oref server status)))
         (route (plist-get (twotrack--get Status :tasks status) :complete))
         (using (twotrack--get TaskRoute :using route))
         (spent (twotrack--get Status :spentToday status))
         (busy (twotrack--get Status :busy status))
         (poor (twotrack--get Status :noModel status)))
    (concat " tt"
            (cond ((eq (twotrack--get Status :paused status) t) ":paused")
                  ((stringp poor)
                   (propertize ":no model" 'face 'warning
                               'help-echo (concat poor "\nmouse-1: M-x twotrack-setup")
                               'mouse-face 'mode-line-highlight
                               'local-map twotrack--setup-map))
                  ((and (numberp busy) (> busy 0)) ":…")
                  ;; The mode line reads "%" as its own.
                  ((stringp using) (concat ":" (string-replace "%" "%%" using))))
            (and (numberp spent) (> spent 0) (format " $%.2f" spent)))))

;;;; Edits

(defun twotrack--bounds ()
  "Return the bounds of the region; else point twice, for the definition there."
  (if (use-region-p) (cons (region-beginning) (region-end)) (cons (point) (point))))

(defun twotrack--place (bounds)
  "Return BOUNDS of this buffer as a request names them."
  (twotrack--params SubjectParams
                    :textDocument (eglot--TextDocumentIdentifier)
                    :range (list :start (eglot--pos-to-lsp-position (car bounds))
                                 :end (eglot--pos-to-lsp-position (cdr bounds)))))

(defun twotrack--subject (bounds)
  "Return what an edit of BOUNDS is about, in a word."
  (let ((server (twotrack--server)))
    (eglot--signal-textDocument/didChange)
    (twotrack--get
     Subject :subject
     (jsonrpc-request server :twotrack/subject (twotrack--place bounds) :timeout 5))))

(defun twotrack--begin (task bounds done &optional more)
  "Ask for TASK about BOUNDS, with MORE parameters; call DONE with the answer."
  (let ((server (twotrack--server)))
    (when (oref server editing)
      (user-error "An edit is under way; M-x twotrack-cancel ends it"))
    (message "twotrack: asking a model (M-x twotrack-cancel ends it)")
    (setf (oref server editing)
          (twotrack--ask
           server :twotrack/edit
           (append (twotrack--place bounds) (twotrack--params EditParams :task task) more)
           (lambda (answer)
             (setf (oref server editing) nil)
             (funcall done answer))
           (lambda (notice)
             (setf (oref server editing) nil)
             (twotrack--complain notice))))))

(defun twotrack-cancel ()
  "End the edit, the explanation or the code actions that are under way."
  (interactive)
  (let* ((server (twotrack--server)) (id (oref server editing))
         (tokens (hash-table-keys (eglot--progress-reporters server))))
    (unless (or id tokens) (user-error "Nothing is under way"))
    (when id (twotrack--cancel server id))
    (dolist (token tokens)
      (jsonrpc-notify server :window/workDoneProgress/cancel (list :token token)))))

(defun twotrack-edit (beg end instruction)
  "Edit the text from BEG to END by INSTRUCTION, after showing what would change.
Interactively: the region, or the definition at point, which the question
names.  You may go on typing meanwhile."
  (interactive
   (let ((bounds (twotrack--bounds)))
     (list (car bounds) (cdr bounds)
           (read-string (format "Edit %s: " (twotrack--subject bounds))))))
  (when (string-blank-p instruction) (user-error "Say what to do"))
  (twotrack--begin "refactor" (cons beg end) #'twotrack--propose
                   (twotrack--params EditParams :instruction instruction)))

(defun twotrack-document ()
  "Document the region or the definition at point, after a look at the change."
  (interactive)
  (twotrack--begin "document" (twotrack--bounds) #'twotrack--propose))

(defun twotrack-simplify ()
  "Simplify the region or the definition at point, after a look at the change."
  (interactive)
  (twotrack--begin "simplify" (twotrack--bounds) #'twotrack--propose))

(defun twotrack-test ()
  "Write a test of the region or the definition at point, after a look at it."
  (interactive)
  (twotrack--begin "test" (twotrack--bounds) #'twotrack--propose))

(defun twotrack-fix ()
  "Fix the problem that Flymake reports at point or in its line."
  (interactive)
  (let ((found (car (or (flymake-diagnostics (point))
                        (flymake-diagnostics (line-beginning-position) (line-end-position))
                        (user-error "No problem is reported here")))))
    (twotrack--begin "fix" (cons (flymake-diagnostic-beg found) (flymake-diagnostic-end found))
                     #'twotrack--propose
                     (twotrack--params EditParams :diagnostic (flymake-diagnostic-text found)))))

(defun twotrack-explain (beg end)
  "Say in words what the text from BEG to END does.
Interactively: the region, or the definition at point."
  (interactive (let ((bounds (twotrack--bounds))) (list (car bounds) (cdr bounds))))
  (twotrack--begin "explain" (cons beg end)
                   (lambda (answer)
                     (twotrack--page
                      (format "# %s\n\n%s\n\n---\n\n%s\n" (twotrack--get EditResult :title answer)
                              (or (twotrack--get EditResult :text answer)
                                  "There is nothing to say.")
                              (twotrack--by answer))))))

(defun twotrack--by (answer)
  "Return who gave ANSWER, how long it took and what it cost."
  (let ((cost (twotrack--get EditResult :costUsd answer)))
    (format "%s, %.1f s, %s"
            (twotrack--get EditResult :model answer)
            (/ (twotrack--get EditResult :ms answer) 1000.0)
            (cond ((not (numberp cost)) "cost unknown")
                  ((zerop cost) "free")
                  ((< cost 0.01) "<$0.01")
                  (t (format "$%.2f" cost))))))

(defun twotrack--propose (answer)
  "Show the edit of ANSWER and ask whether to apply it, when the person pauses."
  (cond ((null (twotrack--get EditResult :edit answer))
         (message "twotrack: %s" (or (twotrack--get EditResult :text answer)
                                     "There is nothing to change.")))
        ;; The server has not heard yet of what was typed last.
        ((progn (eglot--track-changes-fetch eglot--track-changes) eglot--recent-changes)
         (message "twotrack: the text changed meanwhile; nothing was changed."))
        (t (twotrack--confirm-later answer (current-buffer) (car (twotrack--now))))))

(defun twotrack--confirm-later (answer buffer tick)
  "Ask about the edit of ANSWER when the person pauses; BUFFER was at TICK."
  ;; A question that comes while one types would take a key for its answer.
  (run-with-idle-timer
   0.5 nil
   (lambda ()
     (cond ((not (buffer-live-p buffer)))
           ;; Another question is being answered.
           ((active-minibuffer-window)
            (run-with-timer 0.5 nil #'twotrack--confirm-later answer buffer tick))
           (t (with-current-buffer buffer
                (if (eql tick (buffer-chars-modified-tick))
                    (twotrack--confirm answer)
                  (message "twotrack: the text changed meanwhile; nothing was changed."))))))))

(defun twotrack--confirm (answer)
  "Ask the person whether to apply the edit of ANSWER, or which hunks of it."
  (let* ((edit (twotrack--get EditResult :edit answer))
         (hunks (twotrack--hunks edit))
         (several (cdr hunks))
         (eglot-confirm-server-edits nil)
         (wanted
          (pcase (twotrack--choose
                  edit (format "Apply the edit by %s? " (twotrack--by answer))
                  (append '((?y "yes") (?n "no")) (and several '((?h "hunk by hunk")))
                          '((?w "why"))))
            (?y edit)
            (?h (twotrack--joined (twotrack--chosen hunks)))
            (?w 'why))))
    (cond ((eq wanted 'why)
           (twotrack-requests)
           (twotrack--confirm answer))
          (wanted (eglot--apply-workspace-edit wanted 'twotrack-edit))
          (t (message "twotrack: nothing was changed.")))))

(defun twotrack--choose (edit prompt choices)
  "Show EDIT as a diff; return the key that is chosen of CHOICES at PROMPT."
  (save-window-excursion
    (display-buffer (twotrack--diff edit))
    (car (read-multiple-choice prompt choices nil nil nil))))

(defun twotrack--hunks (edit)
  "Return the hunks of EDIT, each a WorkspaceEdit of its own."
  (cl-loop for (uri . edits) in (twotrack--changes edit)
           append (cl-loop for one across edits
                           collect (twotrack--joined (list (cons uri one))))))

(defun twotrack--joined (hunks)
  "Return one WorkspaceEdit of HUNKS: such, or pairs of a URI and a text edit."
  (when hunks
    (let ((pairs (cl-loop for hunk in hunks
                          append (if (stringp (car hunk)) (list hunk)
                                   (cl-loop for (uri . edits) in (twotrack--changes hunk)
                                            append (cl-loop for one across edits
                                                            collect (cons uri one)))))))
      (list :changes
            (cl-loop for (uri . group) in (seq-group-by #'car pairs)
                     append (list (intern (concat ":" uri))
                                  (vconcat (mapcar #'cdr group))))))))

(defun twotrack--chosen (hunks)
  "Ask about each of HUNKS, and return those that the person wants."
  (let ((count (length hunks)) (number 0))
    (seq-filter (lambda (hunk)
                  (eql ?y (twotrack--choose
                           hunk (format "Apply this hunk (%d of %d)? " (cl-incf number) count)
                           '((?y "yes") (?n "no")))))
                hunks)))

(defun twotrack--diff (edit)
  "Return a buffer with EDIT, a WorkspaceEdit, as a diff."
  (let ((buffer (get-buffer-create "*twotrack diff*")) (inhibit-read-only t))
    (with-current-buffer buffer (erase-buffer))
    (pcase-dolist (`(,uri . ,changes) (twotrack--changes edit))
      (let* ((path (eglot-uri-to-path uri))
             ;; Visiting it twice before it is there would make Emacs ask a question.
             (new (not (or (get-file-buffer path) (file-exists-p path))))
             (source (if new (generate-new-buffer " *twotrack source*" t)
                       (find-file-noselect path)))
             (text (with-current-buffer source
                     (twotrack--difference (twotrack--shown path) changes))))
        (when new (kill-buffer source))
        (with-current-buffer buffer (insert text))))
    (with-current-buffer buffer
      (diff-mode)
      (setq buffer-read-only t)
      (goto-char (point-min)))
    buffer))

(defun twotrack--shown (path)
  "Return the name of the file at PATH without line ends and codes."
  (replace-regexp-in-string
   "[[:cntrl:]\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]" "?"
   (file-name-nondirectory path)))

(defun twotrack--changes (edit)
  "Return the text edits of EDIT as a list of (URI . EDITS)."
  (append
   (cl-loop for one across (or (plist-get edit :documentChanges) [])
            when (plist-get one :edits)
            collect (cons (plist-get (plist-get one :textDocument) :uri) (plist-get one :edits)))
   (cl-loop for (uri edits) on (plist-get edit :changes) by #'cddr
            collect (cons (substring (symbol-name uri) 1) edits))))

(defun twotrack--difference (name edits)
  "Return a unified diff of this buffer before and after EDITS; NAME is the file's."
  (let ((old (generate-new-buffer " *twotrack old*" t))
        (new (generate-new-buffer " *twotrack new*" t))
        (source (current-buffer)))
    (unwind-protect
        (save-restriction
          (widen)
          (with-current-buffer old (insert-buffer-substring-no-properties source))
          (let ((spans (sort (seq-map (lambda (edit)
                                        (cons (eglot-range-region (plist-get edit :range))
                                              (plist-get edit :newText)))
                                      edits)
                             :key #'caar :reverse t)))
            (with-current-buffer new
              (insert-buffer-substring-no-properties source)
              (pcase-dolist (`((,beg . ,end) . ,text) spans)
                (delete-region beg end)
                (goto-char beg)
                (insert text))))
          (with-temp-buffer
            (let ((default-directory temporary-file-directory) ; not on another machine
                  (coding-system-for-read 'utf-8-unix)
                  (coding-system-for-write 'utf-8-unix))
              (diff-no-select old new "-u" t (current-buffer)))
            (let ((inhibit-read-only t))
              (goto-char (point-min))
              ;; What diff was called with, and when it ended, is nobody's concern.
              (if (not (re-search-forward "^--- .*\n\\+\\+\\+ .*\n" nil t))
                  ""
                (replace-match (format "--- %s\n+++ %s\n" name name) t t)
                (delete-region (point-min) (match-beginning 0))
                (goto-char (point-max))
                (when (re-search-backward "\n\nDiff finished" nil t)
                  (delete-region (1+ (point)) (point-max)))
                (buffer-substring-no-properties (point-min) (point-max))))))
      (kill-buffer old)
      (kill-buffer new))))

;;;; Pages and the server's state

(defun twotrack--page (markdown)
  "Show MARKDOWN, which begins with a heading, in a window."
  (let* ((name (if (string-match "\\`# \\(.*\\)" markdown) (match-string 1 markdown) "twotrack"))
         (buffer (get-buffer-create (format "*twotrack: %s*" name)))
         (inhibit-read-only t))
    (with-current-buffer buffer
      (erase-buffer)
      (insert markdown)
      (goto-char (point-min))
      (if (fboundp 'gfm-view-mode)
          (gfm-view-mode)
        (special-mode)
        (visual-line-mode)))
    (display-buffer buffer)))

(defun twotrack-requests ()
  "Show what was sent to models lately, and what they answered."
  (interactive)
  (twotrack--ask (twotrack--server) :twotrack/requests eglot--{}
                 (lambda (page) (twotrack--page (twotrack--get Page :markdown page)))))

(defun twotrack-ledger ()
  "Show what was spent, by day, model, task and language."
  (interactive)
  (twotrack--ask (twotrack--server) :twotrack/ledger eglot--{}
                 (lambda (page) (twotrack--page (twotrack--get Page :markdown page)))))

(defun twotrack-status ()
  "Show the model of each task, what is wrong, and what was spent."
  (interactive)
  (twotrack--take :twotrack/status eglot--{}
                  (lambda (status) (twotrack--page (twotrack--status-page status)))))

(defun twotrack--status-page (status)
  "Return STATUS as Markdown."
  (concat
   "# Status\n\n"
   (cl-loop for pause across (twotrack--get Status :pauses status)
            for language = (twotrack--get Pause :language pause)
            for files = (twotrack--get Pause :files pause)
            concat (format "Completions%s are paused%s.\n\n"
                           (cond (language (format " for `%s`" language))
                                 (files (format " in `%s`" files))
                                 (t ""))
                           (if-let* ((until (twotrack--get Pause :until pause)))
                               (format-time-string " until %H:%M" (date-to-time until))
                             "")))
   (if-let* ((none (twotrack--get Status :noModel status)))
       (format "%s `M-x twotrack-setup` looks for some.\n\n" none)
     "")
   "| task | model |\n| --- | --- |\n"
   (cl-loop for (task route) on (twotrack--get Status :tasks status) by #'cddr
            concat (format "| %s | %s%s |\n" (substring (symbol-name task) 1)
                           (or (twotrack--get TaskRoute :using route) "no model")
                           (if (eq (twotrack--get TaskRoute :chosen route) t) " (chosen)" "")))
   "\n"
   (cl-loop for model across (twotrack--get Status :models status)
            for problem = (twotrack--get ModelInfo :problem model)
            when problem
            concat (format "- %s: %s\n" (twotrack--get ModelInfo :name model) problem))
   (cl-loop for problem across (twotrack--get Status :problems status)
            concat (format "- %s\n" problem))
   (format "\nSpent today $%.2f, this month $%.2f\n"
           (twotrack--get Status :spentToday status)
           (twotrack--get Status :spentMonth status))))

(defun twotrack-model (track model)
  "Put MODEL first on TRACK until the server ends.
TRACK is \"fast\" or \"strong\"; a MODEL of nil undoes it."
  (interactive
   (let* ((track (completing-read "Track: " '("fast" "strong") nil t))
          (status (jsonrpc-request (twotrack--server) :twotrack/status eglot--{} :timeout 5))
          (names (mapcar (lambda (one) (twotrack--get ModelInfo :name one))
                         (twotrack--get Status :models status)))
          (name (completing-read (format "Model of the %s track: " track)
                                 (cons "as the settings say" names) nil t)))
     (list track (and (member name names) name))))
  (twotrack--take :twotrack/useModel (twotrack--params UseModelParams :track track :model model)
                  (lambda (_)
                    (message "twotrack: %s: %s" track (or model "as the settings say")))))

(defun twotrack-setup ()
  "Look for models and keys, and write the settings, in a buffer that asks."
  (interactive)
  (let ((program (car (process-command (jsonrpc--process (twotrack--server))))))
    (pop-to-buffer (make-comint "twotrack setup" program nil "setup"))))

(defun twotrack--take (method params done)
  "Ask by METHOD with PARAMS for the status, note it and call DONE with it."
  (let ((server (twotrack--server)))
    (twotrack--ask server method params
                   (lambda (status)
                     (setf (oref server status) status)
                     (force-mode-line-update t)
                     (funcall done status)))))

;;;; Pausing

(defun twotrack-pause (&optional minutes)
  "Offer no completions until `twotrack-resume', or for MINUTES.
Interactively, a prefix argument is the number of minutes."
  (interactive "P")
  (twotrack--pause (twotrack--params PauseParams :paused t
                                     :minutes (and minutes (prefix-numeric-value minutes)))))

(defun twotrack-snooze ()
  "Offer no completions for five minutes."
  (interactive)
  (twotrack-pause 5))

(defun twotrack-pause-language ()
  "Offer no completions in this buffer's language until `twotrack-resume'."
  (interactive)
  (let ((language (plist-get (eglot--TextDocumentItem) :languageId)))
    (twotrack--pause (twotrack--params PauseParams :paused t :language language))))

(defun twotrack-pause-files (pattern)
  "Offer no completions in files of PATTERN until `twotrack-resume'.
PATTERN is one as in .gitignore."
  (interactive (list (read-string "Pause completions in files: "
                                  (and buffer-file-name
                                       (concat "*." (file-name-extension buffer-file-name))))))
  (twotrack--pause (twotrack--params PauseParams :paused t :files pattern)))

(defun twotrack-resume ()
  "Offer completions again, wherever they are paused."
  (interactive)
  (twotrack--pause (twotrack--params PauseParams :paused :json-false)))

(defun twotrack--pause (params)
  "Tell the server what is to be paused, by PARAMS."
  (twotrack-dismiss)
  (twotrack--take :twotrack/pause params
                  (lambda (status)
                    (message "twotrack: completions %s"
                             (if (seq-empty-p (twotrack--get Status :pauses status))
                                 "go on"
                               "are paused")))))

(provide 'twotrack)
;;; twotrack.el ends here
