package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/maru-city/maru/engine/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// How long sessions last.
const (
	sessionLife  = 8 * time.Hour
	sessionIdle  = time.Hour
	sessionTurn  = 15 * time.Minute // then the cookie is exchanged for another
	sessionGrace = time.Minute      // for requests that were under way with the former one
	seenEvery    = time.Minute
)

// Sessions are the sign-ins of people at pages. A cookie holds a random value; its SHA-256 is kept with the principal. It is safe for concurrent
// use, also by several nodes on one database.
type Sessions struct {
	db     *db.DB
	now    func() time.Time
	secure bool
}

// OpenSessions opens the sessions in a database. secure says that pages are reached by TLS only.
func OpenSessions(ctx context.Context, d *db.DB, now func() time.Time, secure bool) (*Sessions, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, "identity", dir); err != nil {
		return nil, err
	}
	return &Sessions{db: d, now: now, secure: secure}, nil
}

// cookieName is the session's cookie. Under TLS its name keeps other hosts of the domain from setting it (RFC 6265bis, __Host-).
func (s *Sessions) cookieName() string {
	if s.secure {
		return "__Host-maru"
	}
	return "maru"
}

func (s *Sessions) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode}
}

func hashed(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// session is one as it is stored.
type session struct {
	principal                     Principal
	idToken                       string
	signIn                        string // the same for all that replaced each other
	started, made, seen, replaced time.Time
}

// Begin signs a principal in. idToken is the provider's, for signing out there. Whoever was signed in with the request's cookie no longer is.
func (s *Sessions) Begin(w http.ResponseWriter, r *http.Request, p *Principal, idToken string) error {
	ctx, now := r.Context(), s.now().UTC()
	if former, _, err := s.find(ctx, r); err != nil {
		return err
	} else if former != nil {
		if err := s.remove(ctx, former); err != nil {
			return err
		}
	}
	value, err := s.add(ctx, session{principal: *p, idToken: idToken, signIn: rand.Text(), started: now, made: now, seen: now}, "")
	if err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(value, int(sessionLife.Seconds())))
	return nil
}

// add stores a session, in place of a former one if there is one, and returns its cookie's value.
func (s *Sessions) add(ctx context.Context, one session, former string) (string, error) {
	text, err := json.Marshal(one.principal)
	if err != nil {
		return "", err
	}
	value := rand.Text() + rand.Text()
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		if former != "" {
			n, err := tx.Exec(ctx, "UPDATE session SET replaced = ? WHERE hash = ? AND replaced = ''", stamp(one.made), former)
			if err != nil {
				return err
			}
			if n == 0 { // another request was first, and its answer has the new cookie
				value = ""
				return nil
			}
		} else if _, err := tx.Exec(ctx, "DELETE FROM session WHERE seen < ?", stamp(one.seen.Add(-sessionLife))); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO session (hash, sign_in, principal, id_token, started, made, seen) VALUES (?, ?, ?, ?, ?, ?, ?)",
			hashed(value), one.signIn, string(text), one.idToken, stamp(one.started), stamp(one.made), stamp(one.seen))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep a session: %w", err)
	}
	return value, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// find reads the session of a request's cookie; nil where there is none that holds.
func (s *Sessions) find(ctx context.Context, r *http.Request) (one *session, hash string, err error) {
	c, err := r.Cookie(s.cookieName())
	if err != nil || len(c.Value) > 100 {
		return nil, "", nil
	}
	hash = hashed(c.Value)
	var text string
	var started, made, seen, replaced string
	one = &session{}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT sign_in, principal, id_token, started, made, seen, replaced FROM session WHERE hash = ?", hash).Scan(&one.signIn, &text, &one.idToken, &started, &made, &seen, &replaced)
	})
	if db.NoRows(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read a session: %w", err)
	}
	for _, moment := range []struct {
		text string
		into *time.Time
	}{{started, &one.started}, {made, &one.made}, {seen, &one.seen}, {replaced, &one.replaced}} {
		if moment.text == "" {
			continue
		}
		if *moment.into, err = time.Parse(time.RFC3339Nano, moment.text); err != nil {
			return nil, "", fmt.Errorf("read a session: %w", err)
		}
	}
	if err := json.Unmarshal([]byte(text), &one.principal); err != nil {
		return nil, "", fmt.Errorf("read a session: %w", err)
	}
	now := s.now()
	if now.Sub(one.started) > sessionLife || now.Sub(one.seen) > sessionIdle || (!one.replaced.IsZero() && now.Sub(one.replaced) > sessionGrace) {
		return nil, "", nil
	}
	return one, hash, nil
}

// Principal is who a request's session belongs to, or nil. It keeps the session alive, and exchanges its cookie when it is time.
func (s *Sessions) Principal(w http.ResponseWriter, r *http.Request) (*Principal, error) {
	ctx := r.Context()
	one, hash, err := s.find(ctx, r)
	if one == nil || err != nil {
		return nil, err
	}
	now := s.now().UTC()
	if one.replaced.IsZero() && now.Sub(one.made) > sessionTurn {
		next := *one
		next.made, next.seen = now, now
		value, err := s.add(ctx, next, hash)
		if err != nil {
			return nil, err
		}
		if value != "" {
			http.SetCookie(w, s.cookie(value, int((sessionLife-now.Sub(one.started)).Seconds())))
		}
		return &one.principal, nil
	}
	if now.Sub(one.seen) > seenEvery {
		err := s.db.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE session SET seen = ? WHERE hash = ?", stamp(now), hash)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("keep a session: %w", err)
		}
	}
	return &one.principal, nil
}

// End signs out: the session of the request's cookie is gone at once, everywhere. It returns the provider's ID token of the sign-in.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request) (idToken string, err error) {
	one, _, err := s.find(r.Context(), r)
	http.SetCookie(w, s.cookie("", -1))
	if one == nil || err != nil {
		return "", err
	}
	return one.idToken, s.remove(r.Context(), one)
}

// remove forgets a session with all that it replaced.
func (s *Sessions) remove(ctx context.Context, one *session) error {
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM session WHERE sign_in = ?", one.signIn)
		return err
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}
