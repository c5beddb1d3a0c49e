package exchange

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Exchange is the one way to data. It is safe for concurrent use, also by several nodes on one database.
type Exchange struct {
	db       *db.DB
	registry *registry.Registry
	log      *ledger.Log
	keys     *keys.Ring
	now      func() time.Time
	catalog  func() *catalog.Snapshot
	refresh  func(context.Context) error
	hooks    Hooks

	auditing chan struct{} // has room for one

	ready sync.Map // project/name → standing
	specs sync.Map // versionKey → document
}

// Options is what an exchange is made from.
type Options struct {
	DB       *db.DB
	Registry *registry.Registry
	Log      *ledger.Log
	Keys     *keys.Ring
	Now      func() time.Time
	// Catalog gives the catalog as it is. It is asked after the exchange is open.
	Catalog func() *catalog.Snapshot
	// Refresh brings the catalog up to what was applied on other nodes.
	Refresh func(context.Context) error
	Hooks   Hooks
}

// Open opens the exchange.
func Open(ctx context.Context, o Options) (*Exchange, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := o.DB.Migrate(ctx, "exchange", dir); err != nil {
		return nil, err
	}
	x := &Exchange{db: o.DB, registry: o.Registry, log: o.Log, keys: o.Keys, now: o.Now, catalog: o.Catalog, refresh: o.Refresh, hooks: o.Hooks, auditing: make(chan struct{}, 1)}
	return x, x.checkKeys(ctx)
}

// checkKeys refuses to go on with other keys than those that made the identifiers in the database.
func (x *Exchange) checkKeys(ctx context.Context) error {
	mine, err := x.keys.Pseudonym("-", "check", "maru")
	if err != nil {
		return err
	}
	var known string
	err = x.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO key_check (one, value) VALUES (1, ?) ON CONFLICT (one) DO NOTHING", mine); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT value FROM key_check WHERE one = 1").Scan(&known)
	})
	if err != nil {
		return fmt.Errorf("check the keys: %w", err)
	}
	if known != mine {
		return problem.New("keys.other", 500, lang.T("이 데이터베이스의 식별자는 다른 키로 만든 것입니다", "the identifiers in this database were made with other keys")).
			Hinting(lang.T("백업에서 keys 폴더를 되살리십시오", "restore the folder of keys from the backup"))
	}
	return nil
}

// today is the day in Seoul.
func (x *Exchange) today() manifest.Day {
	return manifest.Day(x.now().In(clock.Seoul).Format(manifest.DateLayout))
}

// The city knows a person by a number of 32 bits, and so a household.

// Pseudonym is what a project calls the person of a number.
func (x *Exchange) Pseudonym(project, kind string, number int64) (string, error) {
	return x.keys.Pseudonym(project, kind, strconv.FormatInt(number, 10))
}

// number is whom a project means by an identifier.
func (x *Exchange) number(project, kind, identifier string) (int64, bool) {
	whole, ok := x.keys.Whole(project, kind, identifier)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(whole, 10, 32)
	return int64(n), err == nil && n > 0
}

// logged is the number by which the log knows a person: it leaves the city with receipts, so it isn't the city's own.
func (x *Exchange) logged(number int64) uint32 { return x.keys.Alias(uint32(number)) }

// Person is the number of a principal's person, 0 where it is none.
func Person(whole string) int64 {
	n, err := strconv.ParseUint(whole, 10, 32)
	if err != nil {
		return 0
	}
	return int64(n)
}
