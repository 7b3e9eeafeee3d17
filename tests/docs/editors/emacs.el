;; What a user does in Emacs, with the page's configuration: `--load emacs.el`. Writes what came of it to $OUTCOME.

(require 'eglot)
(require 'json)

(setq eglot-sync-connect 30
      eglot-confirm-server-initiated-edits nil)

(defun codes ()
  "Return the codes of what is found in the buffer, in their order."
  (let (found)
    (dolist (each (flymake-diagnostics))
      (when (string-match "TRG[0-9]+" (flymake-diagnostic-text each))
        (push (match-string 0 (flymake-diagnostic-text each)) found)))
    (mapconcat #'identity (sort found #'string<) " ")))

(defun wait-for (wanted)
  "Wait until what is found is WANTED; go on after a while all the same."
  (let ((end (+ (float-time) 30)))
    (while (and (< (float-time) end) (not (equal (codes) wanted)))
      (flymake-start)
      (accept-process-output nil 0.05))
    (codes)))

(let (outcome)
  (find-file "jobs/convert.py")
  (apply #'eglot--connect (eglot--guess-contact))
  (push (cons 'found (wait-for "TRG101 TRG107 TRG202")) outcome)
  (goto-char (point-min))
  (search-forward "time.sleep")
  (let* ((actions (eglot-code-actions (match-beginning 0) (match-end 0)))
         (fix (seq-find (lambda (each) (eq t (plist-get each :isPreferred))) actions)))
    (push (cons 'action (plist-get fix :title)) outcome)
    (eglot--apply-workspace-edit (plist-get fix :edit))
    (eglot--signal-textDocument/didChange)) ; what an idle timer does, where nobody is away
  (push (cons 'left (wait-for "TRG101 TRG202")) outcome)
  (push (cons 'text (buffer-string)) outcome)
  (write-region (json-encode outcome) nil (getenv "OUTCOME"))
  (set-buffer-modified-p nil)
  (eglot-shutdown (eglot-current-server)))
