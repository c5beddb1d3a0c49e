package bus

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Limits of streams. How much all of them keep together is bounded by the server: three quarters of what the disk has free. What doesn't fit isn't taken, and waits where it was.
const (
	// Kept is how long a message waits for those who follow.
	Kept = 14 * 24 * time.Hour
	// Window is how long a message's ID is known, so that the same isn't kept twice: an acknowledgement that was lost is waited for no longer. All of them are in memory.
	Window = 20 * time.Second
	// MaxMessage is how long a message may be, in bytes.
	MaxMessage = 4 << 20
	maxCursors = 32 // of a stream
	startLimit = 20 * time.Second
)

// Message is what is published.
type Message struct {
	ID   string // the same for the same message
	Data []byte
}

// Reader is who may read from which streams.
type Reader struct {
	Name    string
	Streams []string
}

// Options say how a bus runs.
type Options struct {
	Folder string      // of what it keeps
	Listen string      // host:port of its listener; "" for none, then nobody outside the process follows
	TLS    *tls.Config // of the listener; nil for none
	// Allow says who a client is by its token, and what it may read.
	Allow func(ctx context.Context, token string) (Reader, error)
}

// Bus is a running server. It is safe for concurrent use.
type Bus struct {
	server *server.Server
	conn   *nats.Conn
	js     jetstream.JetStream
	gate   *gate

	mu   sync.Mutex
	made map[string]bool
}

// ownUser is the user by which the process itself connects; its password is made at each start.
const ownUser = "maru"

// Open starts the server.
func Open(ctx context.Context, o Options) (*Bus, error) {
	g := &gate{allow: o.Allow, secret: rand.Text(), clients: map[uint64]*client{}, rooms: map[string]*server.Account{}}
	settings := &server.Options{
		ServerName: "maru", JetStream: true, StoreDir: o.Folder, DontListen: o.Listen == "", NoSigs: true, NoLog: true, MaxPayload: MaxMessage + 64<<10, CustomClientAuthentication: g,
		MaxConn: 10_000, MaxSubs: 1000, AuthTimeout: 5, NoSystemAccount: true,
	}
	if o.TLS != nil {
		settings.TLSConfig, settings.TLS, settings.TLSTimeout = o.TLS, true, 5
	}
	if o.Listen != "" {
		host, port, err := net.SplitHostPort(o.Listen)
		if err != nil {
			return nil, fmt.Errorf("the address of events: %w", err)
		}
		if settings.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("the address of events: %w", err)
		}
		if settings.Host = host; settings.Port == 0 {
			settings.Port = server.RANDOM_PORT
		}
	}
	s, err := server.NewServer(settings)
	if err != nil {
		return nil, fmt.Errorf("start the bus: %w", err)
	}
	g.server = s
	s.SetLoggerV2(said{}, false, false, false)
	go s.Start()
	b := &Bus{server: s, gate: g, made: map[string]bool{}}
	if !s.ReadyForConnections(startLimit) {
		s.Shutdown()
		return nil, fmt.Errorf("start the bus: it doesn't answer: is %s taken?", o.Listen)
	}
	if b.conn, err = nats.Connect("", nats.InProcessServer(s), nats.UserInfo(ownUser, g.secret), nats.MaxReconnects(-1)); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("start the bus: %w", err)
	}
	if b.js, err = jetstream.New(b.conn); err != nil {
		b.Close()
		return nil, fmt.Errorf("start the bus: %w", err)
	}
	return b, nil
}

// Address is where clients connect: nats://host:port, "" where none can.
func (b *Bus) Address() string {
	if b.server.Addr() == nil {
		return ""
	}
	return "nats://" + b.server.Addr().String()
}

// Close stops the server. What it keeps stays.
func (b *Bus) Close() error {
	if b.conn != nil {
		b.conn.Close()
	}
	b.server.Shutdown()
	b.server.WaitForShutdown()
	return nil
}

// stream makes a stream where it isn't there. Its subjects are those that begin with its name.
func (b *Bus) stream(ctx context.Context, name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.made[name] {
		return nil
	}
	_, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: name, Subjects: []string{name + ".>"}, MaxAge: Kept, MaxMsgSize: MaxMessage + 64<<10, MaxConsumers: maxCursors, Duplicates: Window, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardOld, DenyDelete: true,
	})
	if err != nil {
		return fmt.Errorf("make the stream %s: %w", name, err)
	}
	b.made[name] = true
	return nil
}

// subject is that of all messages of a stream. The server keeps each subject in memory, so that there is one, not one for each record.
const subject = "event"

// Publish appends messages to a stream in their order. One whose ID the stream has seen lately is left out. It returns when all are kept.
func (b *Bus) Publish(ctx context.Context, stream string, messages []Message) error {
	if err := b.stream(ctx, stream); err != nil {
		return err
	}
	for _, m := range messages {
		if _, err := b.js.Publish(ctx, stream+"."+subject, m.Data, jetstream.WithMsgID(m.ID), jetstream.WithExpectStream(stream)); err != nil {
			return fmt.Errorf("publish to %s: %w", stream, err)
		}
	}
	return nil
}

// Purge removes all messages from a stream. Its cursors go on behind them.
func (b *Bus) Purge(ctx context.Context, stream string) error {
	if err := b.stream(ctx, stream); err != nil {
		return err
	}
	s, err := b.js.Stream(ctx, stream)
	if err == nil {
		err = s.Purge(ctx)
	}
	if err != nil {
		return fmt.Errorf("empty the stream %s: %w", stream, err)
	}
	return nil
}

// Cursor makes a place in a stream from which clients read under a name: where it is there already, it stays where it is, unless from is given: then it
// goes back or on to what was published since.
func (b *Bus) Cursor(ctx context.Context, stream, name string, from time.Time) error {
	if err := b.stream(ctx, stream); err != nil {
		return err
	}
	c := jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxAckPending: 1000, DeliverPolicy: jetstream.DeliverAllPolicy}
	if !from.IsZero() {
		c.DeliverPolicy, c.OptStartTime = jetstream.DeliverByStartTimePolicy, &from
		if err := b.js.DeleteConsumer(ctx, stream, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return fmt.Errorf("move the cursor %s of %s: %w", name, stream, err)
		}
	} else if _, err := b.js.Consumer(ctx, stream, name); err == nil {
		return nil
	}
	if _, err := b.js.CreateOrUpdateConsumer(ctx, stream, c); err != nil {
		return fmt.Errorf("make the cursor %s of %s: %w", name, stream, err)
	}
	return nil
}

// Remove removes a stream with all that it keeps.
func (b *Bus) Remove(ctx context.Context, stream string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.made, stream)
	if err := b.js.DeleteStream(ctx, stream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("remove the stream %s: %w", stream, err)
	}
	return nil
}

// Last is the ID of the newest message of a stream, "" where it has none. aged says that it had some, which have all been there for as long as they are kept.
func (b *Bus) Last(ctx context.Context, stream string) (id string, aged bool, err error) {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return "", false, fmt.Errorf("look at the stream %s: %w", stream, err)
	}
	state := s.CachedInfo().State
	if state.Msgs == 0 {
		return "", state.LastSeq > 0, nil
	}
	m, err := s.GetMsg(ctx, state.LastSeq)
	if err != nil {
		return "", false, fmt.Errorf("look at the stream %s: %w", stream, err)
	}
	return m.Header.Get(jetstream.MsgIDHeader), false, nil
}

// Streams lists the streams that there are.
func (b *Bus) Streams(ctx context.Context) (out []string, err error) {
	list := b.js.StreamNames(ctx)
	for name := range list.Name() {
		out = append(out, name)
	}
	return out, list.Err()
}

// Follow hands the messages of a stream to take, one after the other, from where a follower of that name was. A message is behind it when take returns nil; otherwise it comes
// again after a pause. It returns when ctx ends.
func (b *Bus) Follow(ctx context.Context, stream, follower string, pause func(attempt int) time.Duration, take func(ctx context.Context, data []byte, attempt int) error) error {
	if err := b.stream(ctx, stream); err != nil {
		return err
	}
	c, err := b.js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{Durable: follower, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 1, AckWait: time.Minute, DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return fmt.Errorf("follow %s: %w", stream, err)
	}
	for ctx.Err() == nil {
		wait, stop := context.WithTimeout(ctx, 30*time.Second)
		m, err := c.Next(jetstream.FetchContext(wait))
		stop()
		if err != nil {
			if errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
				continue
			}
			if errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) {
				return fmt.Errorf("follow %s: %w", stream, err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // until the next try
			}
			continue
		}
		attempt := 1
		if meta, err := m.Metadata(); err == nil {
			attempt = int(meta.NumDelivered)
		}
		if err := take(ctx, m.Data(), attempt); err != nil {
			_ = m.NakWithDelay(pause(attempt)) // lost, it comes again when AckWait is over
			continue
		}
		_ = m.DoubleAck(ctx) // lost, the message comes again: at least once
	}
	return ctx.Err()
}

// Check asks again of every client what it may read, and ends the connections of those who may no longer read what they could.
func (b *Bus) Check(ctx context.Context) {
	b.gate.mu.Lock()
	all := make(map[uint64]*client, len(b.gate.clients))
	for id, c := range b.gate.clients {
		all[id] = c
	}
	b.gate.mu.Unlock()
	for id, c := range all {
		if b.server.GetClient(id) == nil {
			b.gate.forget(id)
			continue
		}
		if now, err := b.gate.allow(ctx, c.token); err == nil && strings.Join(now.Streams, " ") == c.streams {
			continue
		}
		b.gate.forget(id)
		if err := b.server.DisconnectClientByID(id); err != nil {
			slog.Warn("bus: a client that may no longer read can't be cut off", "client", c.name, "error", err)
		}
	}
}

// gate lets clients in.
type gate struct {
	allow  func(ctx context.Context, token string) (Reader, error)
	secret string
	server *server.Server

	mu      sync.Mutex
	clients map[uint64]*client
	rooms   map[string]*server.Account
}

// client is who is connected.
type client struct {
	name, token, streams string
}

func (g *gate) forget(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.clients, id)
}

// Check implements server.Authentication.
func (g *gate) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == ownUser && o.Password == g.secret {
		return true
	}
	token := o.Token
	if token == "" {
		token = o.Password
	}
	if token == "" || g.allow == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	reader, err := g.allow(ctx, token)
	if err != nil {
		return false
	}
	room, may, err := g.room(g.server, reader)
	if err != nil {
		slog.Error("bus: a client has no room", "client", reader.Name, "error", err)
		return false
	}
	c.RegisterUser(&server.User{Username: reader.Name, Account: room, Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: may}, Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients[c.GetID()] = &client{reader.Name, token, strings.Join(reader.Streams, " ")}
	return true
}

// room is an account of a reader's own that the streams' account lets read what the reader may. So a client's inboxes are nobody else's, and what it has answers sent to is
// in its own room: it can't reach a stream.
func (g *gate) room(s *server.Server, r Reader) (*server.Account, []string, error) {
	name := r.Name + "~" + strings.Join(r.Streams, "~") // no spaces: it becomes part of subjects
	var may []string
	for _, stream := range r.Streams {
		may = append(may, "$JS.API.STREAM.INFO."+stream, "$JS.API.CONSUMER.INFO."+stream+".*", "$JS.API.CONSUMER.MSG.NEXT."+stream+".*", "$JS.ACK."+stream+".>")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if room := g.rooms[name]; room != nil {
		return room, may, nil
	}
	room, err := s.RegisterAccount(name)
	if err != nil {
		return nil, nil, err
	}
	for _, subject := range may {
		if err := s.GlobalAccount().AddServiceExportWithResponse(subject, server.Streamed, []*server.Account{room}); err != nil {
			return nil, nil, err
		}
		if err := room.AddServiceImport(s.GlobalAccount(), subject, subject); err != nil {
			return nil, nil, err
		}
	}
	g.rooms[name] = room
	return room, may, nil
}

// said is what the server says of itself: errors and warnings.
type said struct{}

// Noticef implements server.Logger.
func (said) Noticef(string, ...any) {}

// Warnf implements server.Logger.
func (said) Warnf(format string, v ...any) { slog.Warn("bus: " + fmt.Sprintf(format, v...)) }

// Fatalf implements server.Logger.
func (said) Fatalf(format string, v ...any) { slog.Error("bus: " + fmt.Sprintf(format, v...)) }

// Errorf implements server.Logger.
func (said) Errorf(format string, v ...any) { slog.Error("bus: " + fmt.Sprintf(format, v...)) }

// Debugf implements server.Logger.
func (said) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (said) Tracef(string, ...any) {}
