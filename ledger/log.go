package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Log appends entries and proves that they are there. It is safe for concurrent use, also by several nodes on one database.
type Log struct {
	db       *db.DB
	signer   note.Signer
	verifier note.Verifier
	key      string // the verifier's line
	now      func() time.Time

	witnesses []note.Verifier

	queue chan *pending
	stop  context.CancelFunc
	ended chan struct{} // closed when nothing is written any more

	failed atomic.Pointer[error] // why the last batch couldn't be stored

	edge *frontier // of the one who writes; nil where it must be loaded
}

// pending is an entry that waits for the next commit.
type pending struct {
	prepared
	done chan result // has room for one
}

type result struct {
	n   int64
	err error
}

// Sizes of what is written at once.
const (
	batchMost = 512
	queueMost = 4096

	busy   = 8                    // entries in a batch, from which on the next one is waited for
	gather = 2 * time.Millisecond // at most
)

// Open opens the log in a database. signer signs its checkpoints, its name is the log's origin; verifier is the line by which anyone checks them.
func Open(ctx context.Context, d *db.DB, signer note.Signer, verifier string, now func() time.Time) (*Log, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, "ledger", dir); err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(verifier)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	if signer.Name() != v.Name() || signer.KeyHash() != v.KeyHash() {
		return nil, errors.New("open the log: its signer and its verifier are of different keys")
	}
	l := &Log{db: d, signer: signer, verifier: v, key: verifier, now: now, queue: make(chan *pending, queueMost), ended: make(chan struct{})}
	if err := l.check(ctx); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	go func() {
		defer close(l.ended)
		l.run(background)
	}()
	return l, nil
}

// check refuses to go on with a log that another key signed: it would look to everyone as if it had been rewritten.
func (l *Log) check(ctx context.Context) error {
	head, err := l.Head(ctx)
	if err != nil || head.Checkpoint == "" {
		return err
	}
	if _, err := note.Open([]byte(head.Checkpoint), note.VerifierList(l.verifier)); err != nil {
		return problem.New("ledger.key", 500, lang.T("열람 기록의 서명 키가 기록과 맞지 않습니다", "the log was signed by another key than the one that is here")).
			Hinting(lang.T("백업에서 keys 폴더를 되살리십시오", "restore the folder of keys from the backup"))
	}
	return nil
}

// Close ends the log. What was acknowledged is durable; what waits is refused.
func (l *Log) Close() error {
	l.stop()
	<-l.ended
	return nil
}

// Ready is nil where entries can be stored: nothing failed since the last that was.
func (l *Log) Ready(context.Context) error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// unavailable is the problem that an entry couldn't be stored.
func unavailable() *problem.Problem {
	return problem.New("ledger.unavailable", 503, lang.T("열람 기록을 남길 수 없어 자료를 내보내지 않았습니다", "the receipt can't be stored, so no data were given out")).
		Hinting(lang.T("잠시 뒤에 다시 시도하십시오. 계속되면 운영자에게 알려 주십시오", "try again in a moment; if it goes on, tell the administrator"))
}

// Append stores an entry durably and returns its number. It blocks until the entry is on disk, at most ctx's deadline: a caller that gets an error
// must treat what it was about to do as refused. Codes: ledger.unavailable; ledger.rate where the entry's rate is used up.
func (l *Log) Append(ctx context.Context, e Entry) (int64, error) {
	ready, err := e.prepare()
	if err != nil {
		return 0, err
	}
	p := &pending{ready, make(chan result, 1)}
	select {
	case l.queue <- p:
	case <-l.ended:
		return 0, errClosed()
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", unavailable(), ctx.Err())
	}
	select {
	case r := <-p.done:
		return r.n, r.err
	case <-l.ended:
		select {
		case r := <-p.done: // it was among the last that were written
			return r.n, r.err
		default:
			return 0, errClosed()
		}
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", unavailable(), ctx.Err())
	}
}

func errClosed() error { return fmt.Errorf("%w: the log is closed", unavailable()) }

// run writes what waits, batch after batch.
//
// Where many came together the last time, many will again: the next batch waits a little for as many, so that they share a commit. Where few come, none waits.
func (l *Log) run(ctx context.Context) {
	last := 0
	for {
		var batch []*pending
		select {
		case p := <-l.queue:
			batch = append(batch, p)
		case <-ctx.Done():
			l.refuse(ctx.Err())
			return
		}
		var enough <-chan time.Time
		if last >= busy {
			enough = time.After(gather)
		}
	more:
		for len(batch) < batchMost {
			select {
			case p := <-l.queue:
				batch = append(batch, p)
				continue
			default:
			}
			if enough == nil || len(batch) >= last {
				break
			}
			select {
			case p := <-l.queue:
				batch = append(batch, p)
			case <-enough:
				break more
			}
		}
		last = len(batch)
		results, err := l.write(ctx, batch)
		if l.failed.Store(nil); err != nil {
			l.failed.Store(&err)
		}
		for i, p := range batch {
			if err != nil {
				p.done <- result{err: fmt.Errorf("%w: %w", unavailable(), err)}
				continue
			}
			p.done <- results[i]
		}
	}
}

// refuse answers all that still wait.
func (l *Log) refuse(err error) {
	for {
		select {
		case p := <-l.queue:
			p.done <- result{err: fmt.Errorf("%w: %w", unavailable(), err)}
		default:
			return
		}
	}
}

// write stores a batch in one transaction.
func (l *Log) write(ctx context.Context, batch []*pending) (results []result, err error) {
	edge := l.edge
	l.edge = nil // where the transaction fails the edge is loaded again
	err = l.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "ledger"); err != nil {
			return err
		}
		var size int64
		err := tx.QueryRow(ctx, "SELECT size FROM log_head WHERE one = 1").Scan(&size)
		if err != nil && !db.NoRows(err) {
			return err
		}
		if edge == nil || edge.size != size { // another node has written
			if edge, err = load(ctx, tx, size); err != nil {
				return err
			}
		}
		results = make([]result, len(batch))
		rates := &rates{tx: tx, now: l.now().UnixNano(), names: map[string]*rated{}}
		var rows, subjects []any
		for i, p := range batch {
			if p.rate != nil {
				if err := rates.take(ctx, p.rate); problem.As(err) != nil {
					results[i] = result{err: err}
					continue
				} else if err != nil {
					return err
				}
			}
			n := edge.size
			results[i] = result{n: n}
			rows = append(rows, n, string(p.body), string(p.private), p.subject)
			for _, b := range p.blocks {
				subjects = append(subjects, b.n, n, b.bits, b.salt)
			}
			edge.add(tlog.RecordHash(p.body))
		}
		if len(rows) == 0 {
			return nil
		}
		if err := insert(ctx, tx, "log_entry (n, body, private, subject)", rows); err != nil {
			return err
		}
		if err := insert(ctx, tx, "log_subjects (block, n, bits, salt)", subjects); err != nil {
			return err
		}
		for key, hashes := range edge.dirty {
			_, err := tx.Exec(ctx, "INSERT INTO log_tile (level, n, hashes) VALUES (?, ?, ?) ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes", key.level, key.n, pack(hashes))
			if err != nil {
				return err
			}
		}
		if err := rates.store(ctx); err != nil {
			return err
		}
		return l.sign(ctx, tx, edge)
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: append: %w", err)
	}
	clear(edge.dirty)
	l.edge = edge
	return results, nil
}

// insert writes rows of four columns into a table, many a statement.
func insert(ctx context.Context, tx *db.Tx, into string, rows []any) error {
	const width, most = 4, 4 * 128
	for len(rows) > 0 {
		part := rows[:min(most, len(rows))]
		rows = rows[len(part):]
		marks := strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", len(part)/width), ", ")
		if _, err := tx.Exec(ctx, "INSERT INTO "+into+" VALUES "+marks, part...); err != nil {
			return err
		}
	}
	return nil
}

// sign makes the checkpoint of the tree as it is now (C2SP tlog-checkpoint): origin, size, root.
func (l *Log) sign(ctx context.Context, tx *db.Tx, edge *frontier) error {
	root, err := edge.root()
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", l.signer.Name(), edge.size, root)
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		return fmt.Errorf("sign the checkpoint: %w", err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO log_head (one, size, checkpoint, at) VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint, at = excluded.at",
		edge.size, string(signed), l.now().UTC().Format(time.RFC3339Nano))
	return err
}

// Head is the log as it is now.
type Head struct {
	Size       int64
	Checkpoint string // a signed note; "" for an empty log
	At         time.Time
}

// Head reads the newest checkpoint.
func (l *Log) Head(ctx context.Context) (h Head, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		h, err = head(ctx, tx)
		return err
	})
	return h, err
}

func head(ctx context.Context, tx *db.Tx) (h Head, err error) {
	var at string
	err = tx.QueryRow(ctx, "SELECT size, checkpoint, at FROM log_head WHERE one = 1").Scan(&h.Size, &h.Checkpoint, &at)
	if db.NoRows(err) {
		return Head{}, nil
	}
	if err == nil {
		h.At, err = time.Parse(time.RFC3339Nano, at)
	}
	if err != nil {
		return h, fmt.Errorf("read the head of the log: %w", err)
	}
	return h, nil
}

// Verifier is the line by which anyone checks the log's signatures.
func (l *Log) Verifier() string { return l.key }

// rates counts entries by name in slots of time, in the transaction that writes them: so the count holds over all nodes and restarts.
type rates struct {
	tx    *db.Tx
	now   int64 // in ns since 1970
	names map[string]*rated
}

// rateSlots is into how many slots a rate's time is cut. A slot that lies in it in part counts whole: so in no span of that length are there more than the
// most, and a sixtieth of it may pass before what is gone from it is free again.
const rateSlots = 60

// clocksDiffer is by how much clocks may jump, or those of nodes differ, without a slot being forgotten that counts, in ns.
const clocksDiffer = int64(24 * time.Hour)

// rated are the slots of a name that still count, by when they began.
type rated struct {
	there, added map[int64]int64
	oldest       int64 // that counts
}

// take counts an entry, or says that there were too many.
func (r *rates) take(ctx context.Context, rate *Rate) error {
	width := max(int64(rate.In)/rateSlots, 1)
	name := rate.Name + " in " + rate.In.String() // by another time it is another count
	known, ok := r.names[name]
	if !ok {
		known = &rated{added: map[int64]int64{}, oldest: (r.now - int64(rate.In)) / width * width}
		var err error
		if known.there, err = r.load(ctx, name, known.oldest); err != nil {
			return err
		}
		r.names[name] = known
	}
	var n int64
	for _, there := range known.there {
		n += there
	}
	if n >= rate.Most {
		free := r.now // when enough of them don't count any more
		for _, slot := range slices.Sorted(maps.Keys(known.there)) {
			free = slot + width + int64(rate.In)
			if n -= known.there[slot]; n < rate.Most {
				break
			}
		}
		wait := max(time.Duration(free-r.now).Truncate(time.Second)+time.Second, time.Second)
		p := problem.New("ledger.rate", 429, lang.F("한도(%d회)를 넘었습니다", "over the limit of %d", rate.Most)).
			Hinting(lang.F("%s 뒤에 다시 시도하십시오", "try again in %s", wait.String()))
		p.With = map[string]any{"retry_after": int(wait.Seconds())}
		return p
	}
	slot := r.now / width * width
	known.there[slot]++
	known.added[slot]++
	return nil
}

func (r *rates) load(ctx context.Context, name string, oldest int64) (map[int64]int64, error) {
	rows, err := r.tx.Query(ctx, "SELECT slot, n FROM log_rate WHERE name = ? AND slot >= ?", name, oldest)
	if err != nil {
		return nil, fmt.Errorf("count entries: %w", err)
	}
	defer rows.Close()
	out := map[int64]int64{}
	for rows.Next() {
		var slot, n int64
		if err := rows.Scan(&slot, &n); err != nil {
			return nil, fmt.Errorf("count entries: %w", err)
		}
		out[slot] = n
	}
	return out, rows.Err()
}

func (r *rates) store(ctx context.Context) error {
	for name, known := range r.names {
		for slot, n := range known.added {
			if _, err := r.tx.Exec(ctx, "INSERT INTO log_rate (name, slot, n) VALUES (?, ?, ?) ON CONFLICT (name, slot) DO UPDATE SET n = log_rate.n + excluded.n", name, slot, n); err != nil {
				return fmt.Errorf("count entries: %w", err)
			}
		}
		if len(known.added) == 0 {
			continue
		}
		if _, err := r.tx.Exec(ctx, "DELETE FROM log_rate WHERE name = ? AND slot < ?", name, known.oldest-clocksDiffer); err != nil {
			return fmt.Errorf("count entries: %w", err)
		}
	}
	return nil
}
