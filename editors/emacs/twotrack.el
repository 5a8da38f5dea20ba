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
(require 'diff)
(require 'eglot)
(require 'eieio)
(require 'thingatpt)

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
    (plist-put all :experimental '(:twotrack (:events t)))))

(cl-defmethod eglot-handle-notification
  ((server twotrack-server) (_method (eql twotrack/didChangeStatus)) &rest status)
  "Note the new STATUS of SERVER."
  (setf (oref server status) status)
  (force-mode-line-update t))

(cl-defmethod eglot-handle-request :before
  ((server twotrack-server) (_method (eql workspace/applyEdit)) &rest _)
  "Let Eglot refuse an edit of a text that is older than what SERVER was told.
It counts a change when it sends it, which may be half a second later."
  (dolist (buffer (eglot--managed-buffers server))
    (when (buffer-live-p buffer)
      (with-current-buffer buffer (eglot--track-changes-fetch eglot--track-changes)))))

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
FAILED is called with the error's message, or it is shown.
Return the request's id."
  (let ((buffer (current-buffer))
        (failed (or failed (lambda (text) (message "twotrack: %s" text)))))
    ;; Eglot sends changes when Emacs is idle; a question is about the text as it is.
    (eglot--signal-textDocument/didChange)
    (jsonrpc-async-request
     server method params
     :timeout nil                       ; the server answers everything, and has deadlines
     :success-fn (lambda (result)
                   (if (buffer-live-p buffer)
                       (with-current-buffer buffer (funcall done result))
                     (funcall failed "The buffer is closed; nothing was changed.")))
     :error-fn (lambda (error) (funcall failed (plist-get error :message))))
    (jsonrpc--next-request-id server)))

(defun twotrack--cancel (server id)
  "Tell SERVER that nobody waits for the request ID."
  (when (jsonrpc-running-p server)
    (jsonrpc-notify server :$/cancelRequest (list :id id))))

;;;; Ghost text

(defvar-local twotrack--overlay nil "Where ghost text is shown, or nil.")
(defvar-local twotrack--text nil "The whole text that the ghost proposes.")
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
  (twotrack--clear)
  (when-let* ((items (if (vectorp result) result (plist-get result :items)))
              ((length> items 0))
              (item (aref items 0))
              (text (plist-get item :insertText)))
    (pcase-let ((`(,start . ,end) (if (plist-get item :range)
                                      (eglot-range-region (plist-get item :range))
                                    (cons (point) (point)))))
      (setq twotrack--text (if (stringp text) text (plist-get text :value))
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

(defun twotrack--insert (regexp)
  "Insert the ghost text up to the end of REGEXP; all of it where that is nil."
  (let* ((rest (or (and (twotrack--shown-p) (twotrack--rest))
                   (user-error "There is no ghost text")))
         (count (if (and regexp (string-match regexp rest)) (match-end 0) (length rest))))
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

(defun twotrack-dismiss ()
  "Take the ghost text away."
  (interactive)
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

(defun twotrack--lighter ()
  "Return the mode line's text: the model, its state, the day's expense."
  (let* ((server (eglot-current-server))
         (status (and (cl-typep server 'twotrack-server) (oref server status)))
         (using (plist-get (plist-get (plist-get status :tasks) :complete) :using))
         (spent (plist-get status :spentToday)))
    (concat " tt"
            (cond ((eq (plist-get status :paused) t) ":paused")
                  ((and (numberp (plist-get status :busy)) (> (plist-get status :busy) 0)) ":…")
                  ;; The mode line reads "%" as its own.
                  ((stringp using) (concat ":" (string-replace "%" "%%" using))))
            (and (numberp spent) (> spent 0) (format " $%.2f" spent)))))

;;;; Edits

(defun twotrack--bounds ()
  "Return the bounds of the region, of the definition at point, or of the line."
  (cond ((use-region-p) (cons (region-beginning) (region-end)))
        ((bounds-of-thing-at-point 'defun))
        (t (cons (line-beginning-position) (line-end-position)))))

(defun twotrack--begin (task bounds instruction done)
  "Ask for TASK about BOUNDS, by INSTRUCTION or nil; call DONE with the answer."
  (let ((server (twotrack--server)))
    (when (oref server editing)
      (user-error "An edit is under way; M-x twotrack-cancel ends it"))
    (message "twotrack: asking a model (M-x twotrack-cancel ends it)")
    (setf (oref server editing)
          (twotrack--ask
           server :twotrack/edit
           `( :textDocument ,(eglot--TextDocumentIdentifier)
              :range ( :start ,(eglot--pos-to-lsp-position (car bounds))
                       :end ,(eglot--pos-to-lsp-position (cdr bounds)))
              :task ,task
              ,@(and instruction (list :instruction instruction)))
           (lambda (answer)
             (setf (oref server editing) nil)
             (funcall done answer))
           (lambda (text)
             (setf (oref server editing) nil)
             (message "twotrack: %s" text))))))

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
Interactively: the region, or the definition at point.
You may go on typing meanwhile."
  (interactive
   (let ((bounds (progn (twotrack--server) (twotrack--bounds))))
     (list (car bounds) (cdr bounds) (read-string "Edit: "))))
  (when (string-blank-p instruction) (user-error "Say what to do"))
  (twotrack--begin "refactor" (cons beg end) instruction #'twotrack--propose))

(defun twotrack-explain (beg end)
  "Say in words what the text from BEG to END does.
Interactively: the region, or the definition at point."
  (interactive (let ((bounds (twotrack--bounds))) (list (car bounds) (cdr bounds))))
  (twotrack--begin "explain" (cons beg end) nil
                   (lambda (answer)
                     (with-help-window "*twotrack*"
                       (princ (or (plist-get answer :text) "There is nothing to say."))))))

(defun twotrack--propose (answer)
  "Show the edit of ANSWER and ask whether to apply it, when the person pauses."
  (cond ((null (plist-get answer :edit))
         (message "twotrack: %s" (or (plist-get answer :text) "There is nothing to change.")))
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
  "Ask the person whether to apply the edit of ANSWER."
  (let ((diff (twotrack--diff (plist-get answer :edit)))
        (eglot-confirm-server-edits nil))
    (save-window-excursion
      (display-buffer diff)
      (unless (y-or-n-p (format "Apply the edit by %s? " (plist-get answer :model)))
        (setq diff nil)))
    (if diff
        (eglot--apply-workspace-edit (plist-get answer :edit) 'twotrack-edit)
      (message "twotrack: nothing was changed."))))

(defun twotrack--diff (edit)
  "Return a buffer with EDIT, a WorkspaceEdit, as a diff."
  (let ((buffer (get-buffer-create "*twotrack diff*")) (inhibit-read-only t))
    (with-current-buffer buffer (erase-buffer))
    (pcase-dolist (`(,uri . ,changes) (twotrack--changes edit))
      (let ((path (eglot-uri-to-path uri)))
        (with-current-buffer (find-file-noselect path)
          (let ((text (twotrack--difference (file-name-nondirectory path) changes)))
            (with-current-buffer buffer (insert text))))))
    (with-current-buffer buffer
      (diff-mode)
      (setq buffer-read-only t)
      (goto-char (point-min)))
    buffer))

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

;;;; Pausing

(defun twotrack-pause ()
  "Ask no model for completions until `twotrack-resume'."
  (interactive)
  (twotrack--pause t))

(defun twotrack-resume ()
  "Ask models for completions again."
  (interactive)
  (twotrack--pause :json-false))

(defun twotrack--pause (paused)
  "Tell the server whether completions are PAUSED."
  (let ((server (twotrack--server)))
    (when (eq paused t) (twotrack-dismiss))
    (twotrack--ask server :twotrack/pause (list :paused paused)
                   (lambda (status)
                     (setf (oref server status) status)
                     (force-mode-line-update t)
                     (message "twotrack: completions %s"
                              (if (eq paused t) "are paused" "go on"))))))

(provide 'twotrack)
;;; twotrack.el ends here
