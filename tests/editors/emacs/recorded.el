;;; recorded.el --- Prints what the plug-in shows of a recorded server -*- lexical-binding: t; -*-

;; emacs --batch -l recorded.el FOLDER-OF-THE-PLUGIN FILE COMMAND...

;;; Code:

(setq load-prefer-newer t eglot-autoshutdown nil)
(add-to-list 'load-path (pop command-line-args-left))
(require 'twotrack)

(defvar recorded-file (pop command-line-args-left))
(add-to-list 'eglot-server-programs `(python-mode . (twotrack-server ,@command-line-args-left)))
(setq command-line-args-left nil)

(defun recorded-wait (what condition)
  "Wait until CONDITION returns non-nil, at most 20 s: WHAT is then missing."
  (with-timeout (20 (error "No %s" what))
    (while (not (funcall condition)) (accept-process-output nil 0.02))))

(defun recorded-say (title text)
  "Print TEXT below TITLE."
  (princ (format "== %s\n%s\n" title text)))

(defun recorded-page (title command name)
  "Run COMMAND and print the page NAME that it shows below TITLE."
  (let ((name (format "*twotrack: %s*" name)))
    (funcall command)
    (recorded-wait title (lambda () (get-buffer name)))
    (recorded-say title (with-current-buffer name (buffer-string)))))

(find-file recorded-file)
(call-interactively #'eglot)
(recorded-wait "status" (lambda () (oref (eglot-current-server) status)))
(recorded-page "status" #'twotrack-status "Status")
(recorded-say "line" (twotrack--lighter))
(recorded-page "requests" #'twotrack-requests "What was sent")
(recorded-page "ledger" #'twotrack-ledger "Ledger")
(recorded-say "subject" (twotrack--subject (cons 1 1)))
(recorded-page "explain" (lambda () (twotrack-explain 1 1)) "Explain area")
(let (answer)
  (twotrack--begin "refactor" (cons 1 1) (lambda (one) (setq answer one)))
  (recorded-wait "edit" (lambda () answer))
  (recorded-say "edit" (twotrack--by answer))
  (recorded-say "diff" (with-current-buffer (twotrack--diff (plist-get answer :edit))
                         (buffer-string))))
(twotrack-simplify)
(recorded-wait "refusal" (lambda () (null (oref (eglot-current-server) editing))))
(eglot-shutdown (eglot-current-server))

;;; recorded.el ends here
