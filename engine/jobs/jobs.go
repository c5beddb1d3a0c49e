package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/maru-city/maru/engine/db"
)

// Attempts is how often a piece of work is tried, with pauses that grow from a second to hours.
const Attempts = 12

// workers is how many pieces of work run at once in one process.
const workers = 4

// Handler does a piece of work. It must bear being done again.
type Handler func(ctx context.Context, subject string) error

// Options say what a queue does.
type Options struct {
	Database string // the address the database was opened at
	Node     string // names this process among those on one database, the same after a restart
	Kinds    map[string]Handler
	Pauses   map[string]func(attempt int) time.Duration // before work of a kind is tried again, where it isn't for River to say
}

// Queue is work to be done. It is safe for concurrent use.
type Queue struct {
	client client
	close  func()

	mu       sync.Mutex
	periodic map[string]period // by kind and subject
}

type period struct {
	text   string
	handle rivertype.PeriodicJobHandle
}

// client is what a queue needs of River's clients, which have a type for each database.
type client interface {
	Insert(ctx context.Context, args river.JobArgs, o *river.InsertOpts) (*rivertype.JobInsertResult, error)
	Start(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	PeriodicJobs() *river.PeriodicJobBundle
	JobRetry(ctx context.Context, id int64) (*rivertype.JobRow, error)
}

// task is a piece of work as River keeps it.
type task struct {
	Work    string `json:"work"`
	Subject string `json:"subject"`
}

// Kind implements river.JobArgs.
func (task) Kind() string { return "maru" }

// InsertOpts implements river.JobArgsWithInsertOpts: one piece of work on a subject at a time.
func (task) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: Attempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

// worker does tasks.
type worker struct {
	river.WorkerDefaults[task]
	kinds  map[string]Handler
	pauses map[string]func(attempt int) time.Duration
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[task]) error {
	do := w.kinds[job.Args.Work]
	if do == nil {
		return river.JobCancel(fmt.Errorf("jobs: nothing does %q", job.Args.Work))
	}
	err := do(ctx, job.Args.Subject)
	if err != nil && ctx.Err() == nil {
		slog.Error("jobs: work failed and will be tried again", "work", job.Args.Work, "subject", job.Args.Subject, "attempt", job.Attempt, "error", err)
	}
	return err
}

// NextRetry implements river.Worker. Where nothing is said of a kind, River's own pauses are taken.
func (w *worker) NextRetry(job *river.Job[task]) time.Time {
	if pause := w.pauses[job.Args.Work]; pause != nil {
		return time.Now().Add(pause(job.Attempt))
	}
	return time.Time{}
}

// Timeout implements river.Worker: a file of many gigabytes takes its time.
func (*worker) Timeout(*river.Job[task]) time.Duration { return -1 }

// Open opens the queue in a database; nothing runs before [Queue.Start].
func Open(ctx context.Context, d *db.DB, o Options) (*Queue, error) {
	all := river.NewWorkers()
	river.AddWorker(all, &worker{kinds: o.Kinds, pauses: o.Pauses})
	config := &river.Config{
		ID: o.Node, Workers: all, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		FetchPollInterval: 250 * time.Millisecond, JobTimeout: -1, RescueStuckJobsAfter: 24 * time.Hour,
		Logger: slog.New(quiet{slog.Default().Handler()}),
	}
	q := &Queue{periodic: map[string]period{}, close: func() {}}
	if d.Dialect == db.SQLite {
		driver := riversqlite.New(d.Pool())
		if err := migrate[*sql.Tx](ctx, d, driver); err != nil {
			return nil, err
		}
		client, err := river.NewClient(driver, config)
		if err != nil {
			return nil, fmt.Errorf("open the jobs: %w", err)
		}
		q.client = client
	} else {
		pool, err := pgxpool.New(ctx, o.Database)
		if err != nil {
			return nil, fmt.Errorf("open the jobs: %w", err)
		}
		q.close = pool.Close
		driver := riverpgxv5.New(pool)
		if err := migrate[pgx.Tx](ctx, d, driver); err != nil {
			pool.Close()
			return nil, err
		}
		client, err := river.NewClient(driver, config)
		if err != nil {
			pool.Close()
			return nil, fmt.Errorf("open the jobs: %w", err)
		}
		q.client = client
	}
	if err := takeUp(ctx, d, o.Node); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

func migrate[T any](ctx context.Context, d *db.DB, driver riverdriver.Driver[T]) error {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(quiet{slog.Default().Handler()})})
	if err != nil {
		return fmt.Errorf("migrate the jobs: %w", err)
	}
	run := func() error {
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	if d.Dialect == db.Postgres { // one node at a time
		err = d.Write(ctx, func(tx *db.Tx) error {
			if err := tx.Lock(ctx, "jobs"); err != nil {
				return err
			}
			return run()
		})
	} else {
		err = run()
	}
	if err != nil {
		return fmt.Errorf("migrate the jobs: %w", err)
	}
	return nil
}

// takeUp makes the work that this node left undone when it was killed wait again. River itself would notice only after hours.
func takeUp(ctx context.Context, d *db.DB, node string) error {
	left := "state = 'running'" // on SQLite there is one node
	var args []any
	if d.Dialect == db.Postgres {
		left, args = "state = 'running' AND attempted_by[array_length(attempted_by, 1)] = ?", []any{node}
	}
	err := d.Write(ctx, func(tx *db.Tx) error {
		if d.Dialect == db.SQLite { // nobody else leads: don't wait for the term of the one who was killed to end
			if _, err := tx.Exec(ctx, "DELETE FROM river_leader"); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE river_job SET state = 'available' WHERE "+left, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("take up the jobs: %w", err)
	}
	return nil
}

// Start begins to do work, until ctx ends or [Queue.Stop].
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("start the jobs: %w", err)
	}
	return nil
}

// Stop interrupts what runs, which is taken up again by the next start, and waits until it has ended.
func (q *Queue) Stop(ctx context.Context) error {
	defer q.close()
	if err := q.client.StopAndCancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("stop the jobs: %w", err)
	}
	return nil
}

// Enqueue asks for a piece of work on a subject. One that waits to be tried again is tried now.
func (q *Queue) Enqueue(ctx context.Context, kind, subject string) error {
	asked, err := q.client.Insert(ctx, task{kind, subject}, nil)
	if err == nil && asked.UniqueSkippedAsDuplicate && (asked.Job.State == rivertype.JobStateRetryable || asked.Job.State == rivertype.JobStateScheduled) {
		_, err = q.client.JobRetry(ctx, asked.Job.ID)
	}
	if err != nil {
		return fmt.Errorf("ask for %s of %s: %w", kind, subject, err)
	}
	return nil
}

// Due is a subject whose work is asked for again and again.
type Due struct {
	Subject  string
	Text     string // of the schedule: a subject whose text is the same keeps its next time
	Schedule river.PeriodicSchedule
}

// Schedule makes due all the work of a kind that is asked for on a schedule; what was there before and isn't now is no longer asked for.
func (q *Queue) Schedule(kind string, due []Due) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	wanted := map[string]bool{}
	for _, d := range due {
		id := kind + " " + d.Subject
		wanted[id] = true
		if known, ok := q.periodic[id]; ok {
			if known.text == d.Text {
				continue
			}
			q.client.PeriodicJobs().Remove(known.handle)
			delete(q.periodic, id)
		}
		job := river.NewPeriodicJob(d.Schedule, func() (river.JobArgs, *river.InsertOpts) { return task{kind, d.Subject}, nil }, nil)
		handle, err := q.client.PeriodicJobs().AddSafely(job)
		if err != nil {
			return fmt.Errorf("schedule %s of %s: %w", kind, d.Subject, err)
		}
		q.periodic[id] = period{d.Text, handle}
	}
	for id, known := range q.periodic {
		if !wanted[id] && len(id) > len(kind) && id[:len(kind)+1] == kind+" " {
			q.client.PeriodicJobs().Remove(known.handle)
			delete(q.periodic, id)
		}
	}
	return nil
}

// quiet leaves out what River says of its own running.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && q.Handler.Enabled(ctx, l)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
