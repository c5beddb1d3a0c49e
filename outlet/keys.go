package outlet

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// maxKeys is how many keys one may have.
const maxKeys = 20

// endingLetters is how many of a key's letters are kept, for its owner to tell it from others.
const endingLetters = 4

// Key is a key of the city's address form as its owner sees it: the key itself is shown only once.
type Key struct {
	ID     string    `json:"id" doc:"Names the key where it is given up"`
	Ending string    `json:"ending" doc:"The key's last letters; empty of keys from before they were kept"`
	Made   time.Time `json:"made"`
}

// Store keeps the keys of the city's address form. Of a key only its SHA-256 is kept, and its last letters.
type Store struct {
	db    *db.DB
	now   func() time.Time
	known sync.Map // hash → when it was looked at
}

// keyLife is how long a node takes a key for known without looking again: so long one that was given up may still work.
const keyLife = 10 * time.Second

// OpenKeys opens the store in a database.
func OpenKeys(ctx context.Context, d *db.DB, now func() time.Time) (*Store, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return &Store{db: d, now: now}, d.Migrate(ctx, "outlet", dir)
}

func hashed(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// Known implements Keys.
func (s *Store) Known(ctx context.Context, key string) (bool, error) {
	hash := hashed(key)
	if at, ok := s.known.Load(hash); ok && s.now().Sub(at.(time.Time)) < keyLife {
		return true, nil
	}
	s.known.Delete(hash)
	var found bool
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM open_key WHERE hash = ?)", hash).Scan(&found)
	})
	if err != nil {
		return false, fmt.Errorf("look for a key: %w", err)
	}
	if found {
		s.known.Store(hash, s.now())
	}
	return found, nil
}

// Make makes a key for somebody who is signed in.
func (s *Store) Make(ctx context.Context, who *identity.Principal) (string, error) {
	if !who.SignedIn() {
		return "", who.Refused()
	}
	key := strings.ToLower(rand.Text())
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM open_key WHERE owner = ?", who.Actor()).Scan(&n); err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		if n >= maxKeys {
			return problem.New("open_key.many", 409, lang.F("인증키는 %d개까지 발급받으실 수 있습니다", "one may have at most %d keys", maxKeys)).Hinting(lang.T("쓰지 않는 인증키를 삭제해 주십시오", "delete those you don't use"))
		}
		_, err := tx.Exec(ctx, "INSERT INTO open_key (hash, owner, made, ending) VALUES (?, ?, ?, ?)", hashed(key), who.Actor(), manifest.FormatDatetime(s.now()), key[len(key)-endingLetters:])
		return err
	})
	return key, err
}

// Mine lists the keys of somebody who is signed in, the newest first.
func (s *Store) Mine(ctx context.Context, who *identity.Principal) ([]Key, error) {
	if !who.SignedIn() {
		return nil, who.Refused()
	}
	out := []Key{}
	err := s.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT hash, ending, made FROM open_key WHERE owner = ? ORDER BY made DESC, hash", who.Actor())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k Key
			var made string
			if err := rows.Scan(&k.ID, &k.Ending, &made); err != nil {
				return err
			}
			if k.Made, err = time.Parse(manifest.DatetimeLayout, made); err != nil {
				return err
			}
			out = append(out, k)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return out, nil
}

// GiveUp gives a key up: whoever has it may.
func (s *Store) GiveUp(ctx context.Context, who *identity.Principal, key string) error {
	return s.GiveUpID(ctx, who, hashed(key))
}

// GiveUpID gives up the key that [Store.Mine] lists by an id.
func (s *Store) GiveUpID(ctx context.Context, who *identity.Principal, id string) error {
	if !who.SignedIn() {
		return who.Refused()
	}
	s.known.Delete(id)
	return s.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM open_key WHERE hash = ? AND owner = ?", id, who.Actor())
		if err != nil {
			return fmt.Errorf("give a key up: %w", err)
		}
		if n == 0 {
			return problem.New("open_key.unknown", 404, lang.T("없는 인증키입니다", "there is no such key of yours"))
		}
		return nil
	})
}

// Serve registers the operations on keys under /api/v1.
func (s *Store) Serve(h huma.API) {
	op := func(id, method, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/me/open-keys", Summary: summary, Tags: []string{"me"}, Errors: errs}
	}
	create := op("make-open-key", http.MethodPost, "Make a key for the address form of the city's open API (/openapi/KEY/…); it is shown this once", 409)
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Key string `json:"key"`
		}
	}, error,
	) {
		key, err := s.Make(ctx, identity.From(ctx))
		if err != nil {
			return nil, err
		}
		out := &struct {
			Body struct {
				Key string `json:"key"`
			}
		}{}
		out.Body.Key = key
		return out, nil
	})
	huma.Register(h, op("list-open-keys", http.MethodGet, "Your keys, the newest first"), func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Keys []Key `json:"keys"`
		}
	}, error,
	) {
		keys, err := s.Mine(ctx, identity.From(ctx))
		if err != nil {
			return nil, err
		}
		out := &struct {
			Body struct {
				Keys []Key `json:"keys"`
			}
		}{}
		out.Body.Keys = keys
		return out, nil
	})
	byID := op("give-up-open-key-by-id", http.MethodDelete, "Give up a key of yours that the list has", 404)
	byID.Path += "/{id}"
	huma.Register(h, byID, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"64"`
	},
	) (*struct{}, error) {
		return nil, s.GiveUpID(ctx, identity.From(ctx), in.ID)
	})
	huma.Register(h, op("give-up-open-key", http.MethodDelete, "Give up a key of yours", 404), func(ctx context.Context, in *struct {
		Body struct {
			Key string `json:"key" minLength:"1" maxLength:"100"`
		}
	},
	) (*struct{}, error) {
		return nil, s.GiveUp(ctx, identity.From(ctx), in.Body.Key)
	})
}
