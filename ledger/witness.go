package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Limits of cosigned checkpoints.
const (
	maxCosigned  = 16 << 10 // bytes of one
	keptCosigned = 100
)

// Trust names the witnesses by the lines of their verifiers (Ed25519). Each says by its signature that it has seen a checkpoint, and none before it that doesn't
// go with it; so nobody can be shown another log (C2SP tlog-cosignature).
func (l *Log) Trust(witnesses []string) error {
	l.witnesses = nil
	for _, line := range witnesses {
		line = strings.TrimSpace(line)
		v, err := cosign.NewVerifierForCosignatureV1(line)
		if err != nil {
			return problem.New("ledger.witness", 400, lang.F("증인의 공개 키가 아닙니다: %q", "%q is no witness's key", line)).
				Hinting(lang.T("이름+해시+키 형식의 한 줄을 쓰십시오 (C2SP signed-note)", "write the line name+hash+key (C2SP signed-note)"))
		}
		l.witnesses = append(l.witnesses, v)
	}
	return nil
}

// Cosign takes a checkpoint of this log to which witnesses have added their signatures, and keeps these beside those that others have added. Codes:
// ledger.cosigned where it isn't this log's checkpoint, or no witness that is trusted has signed it.
func (l *Log) Cosign(ctx context.Context, checkpoint string) error {
	wrong := problem.New("ledger.cosigned", 422, lang.T("이 로그의 체크포인트에 지정된 증인이 서명한 것이 아닙니다", "it isn't a checkpoint of this log that a witness of its has signed")).
		Hinting(lang.T("/log/checkpoint의 내용에 서명 줄을 더해 보내십시오", "send the text of /log/checkpoint with the line of the signature added"))
	t, err := ReadCheckpoint(checkpoint, l.key)
	if err != nil {
		return wrong
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(append(slices.Clone(l.witnesses), l.verifier)...))
	if err != nil || len(n.Sigs) < 2 {
		return wrong
	}
	return l.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "ledger cosigned"); err != nil {
			return err
		}
		var before string
		err := tx.QueryRow(ctx, "SELECT checkpoint FROM log_cosigned WHERE size = ?", t.Size).Scan(&before)
		if err != nil && !db.NoRows(err) {
			return fmt.Errorf("read the cosigned checkpoint: %w", err)
		}
		_, err = tx.Exec(ctx, "INSERT INTO log_cosigned (size, checkpoint, at) VALUES (?, ?, ?) ON CONFLICT (size) DO UPDATE SET checkpoint = excluded.checkpoint, at = excluded.at",
			t.Size, l.together(n, before), l.now().UTC().Format(time.RFC3339Nano))
		if err == nil {
			_, err = tx.Exec(ctx, "DELETE FROM log_cosigned WHERE size NOT IN (SELECT size FROM log_cosigned ORDER BY size DESC LIMIT ?)", keptCosigned)
		}
		if err != nil {
			return fmt.Errorf("keep the cosigned checkpoint: %w", err)
		}
		return nil
	})
}

// together is a checkpoint with the signatures that are known, and those that stood on it before by others.
func (l *Log) together(n *note.Note, before string) string {
	lines := map[string]string{} // by the name of who signed
	var order []string
	add := func(s note.Signature) {
		if _, known := lines[s.Name]; !known {
			order = append(order, s.Name)
			lines[s.Name] = "— " + s.Name + " " + s.Base64 + "\n"
		}
	}
	for _, s := range n.Sigs {
		add(s)
	}
	if was, err := note.Open([]byte(before), note.VerifierList(append(slices.Clone(l.witnesses), l.verifier)...)); err == nil && was.Text == n.Text {
		for _, s := range was.Sigs {
			add(s)
		}
	}
	slices.SortFunc(order, func(a, b string) int { // the log's own first
		if (a == l.verifier.Name()) != (b == l.verifier.Name()) {
			if a == l.verifier.Name() {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	out := n.Text + "\n"
	for _, name := range order {
		out += lines[name]
	}
	return out
}

// Cosigned is the newest checkpoint that witnesses have signed; "" where there is none.
func (l *Log) Cosigned(ctx context.Context) (checkpoint string, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT checkpoint FROM log_cosigned ORDER BY size DESC LIMIT 1").Scan(&checkpoint)
	})
	if db.NoRows(err) {
		return "", nil
	}
	return checkpoint, err
}

// Witnessed reports which of some witnesses have signed a checkpoint, and when.
func Witnessed(checkpoint, verifier string, witnesses []string) (map[string]time.Time, error) {
	var known []note.Verifier
	own, err := note.NewVerifier(strings.TrimSpace(verifier))
	if err != nil {
		return nil, fmt.Errorf("the verifier's key: %w", err)
	}
	known = append(known, own)
	for _, line := range witnesses {
		v, err := cosign.NewVerifierForCosignatureV1(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("the witness's key %q: %w", line, err)
		}
		known = append(known, v)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(known...))
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, s := range n.Sigs {
		if s.Name == own.Name() {
			continue
		}
		at, err := cosign.CoSigV1Timestamp(s)
		if err != nil {
			return nil, err
		}
		out[s.Name] = at
	}
	return out, nil
}

// serveCosigned gives the newest cosigned checkpoint, and takes signatures of witnesses.
func (l *Log) serveCosigned(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Path+"/cosigned", func(w http.ResponseWriter, r *http.Request) {
		text, err := l.Cosigned(r.Context())
		if err == nil && text == "" {
			err = problem.New("ledger.tile", 404, lang.T("증인이 서명한 체크포인트가 아직 없습니다", "no witness has signed a checkpoint yet"))
		}
		if err != nil {
			httpd.Fail(w, r, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text)) // the client went away: nobody to tell
	})
	mux.HandleFunc("POST "+Path+"/cosigned", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCosigned))
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			err = problem.New("request.large", 413, lang.T("체크포인트가 너무 큽니다", "the checkpoint is too large"))
		}
		if err == nil {
			err = l.Cosign(r.Context(), string(text))
		}
		if err != nil {
			httpd.Fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
