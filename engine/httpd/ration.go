package httpd

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// A body is received before anybody handles it: a small one into memory, a large one, of somebody who is known, into a file without a name, enciphered with a key that nobody else has. So whoever sends slowly holds a file and a connection, and nothing that others wait for. What is made of a body takes
// several times as much memory, so only so many bytes, and so many values of JSON, are handled at once; the others wait.
const (
	smallBody   = 64 << 10 // bytes: into memory; all that somebody may send who isn't known
	otherBody   = 12 << 20 // the most that a body has that no operation of the API reads
	allBodies   = 80 << 20 // handled at once: more than the largest that an operation takes
	waitForRoom = 30 * time.Second

	callerBodies = 8         // received at once from one caller
	callerBytes  = 256 << 20 // of them, as declared
	allReceived  = 2 << 30   // of all callers

	patience = 30 * time.Second // within which something has to come, and a small body all of it; after that a large one has to come at this pace
	slowest  = 16 << 10         // bytes a second

	// Values of JSON: each takes some 300 bytes of memory once it is read, though it may be four long.
	mostValues      = 200_000 // of a body
	allValues       = 800_000 // handled at once
	strangersValues = 20_000  // of a body of somebody who isn't known
	allStrangers    = 100_000
)

// everybody is who asks where nobody tells them apart.
const everybody = "everybody"

// rationing is the room for bodies.
type rationing struct {
	room      *semaphore.Weighted               // bytes of large bodies that are handled
	values    *semaphore.Weighted               // values of JSON that are handled
	strangers *semaphore.Weighted               // the same of who isn't known
	caller    func(context.Context) string      // "" for somebody who isn't known
	most      func(*http.Request) (int64, bool) // what the operation takes; false: no operation of the API
	block     cipher.Block
	folder    string // of files for bodies; "": the system's
	patience  time.Duration

	mu       sync.Mutex
	held     map[string]held // what is received, by caller
	received int64
}

type held struct {
	bodies int
	bytes  int64
}

func newRationing(caller func(context.Context) string, most func(*http.Request) (int64, bool), folder string) (*rationing, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return &rationing{
		room: semaphore.NewWeighted(allBodies), values: semaphore.NewWeighted(allValues), strangers: semaphore.NewWeighted(allStrangers),
		caller: caller, most: most, block: block, folder: folder, patience: patience, held: map[string]held{},
	}, nil
}

var errBusy = problem.New("server.busy", http.StatusServiceUnavailable, lang.T("큰 요청을 이미 여럿 처리하고 있습니다", "several large requests are being handled already")).
	Hinting(lang.T("잠시 뒤에 다시 보내십시오", "send it again in a moment"))

var errLarge = problem.New("request.large", http.StatusRequestEntityTooLarge, lang.T("요청이 너무 큽니다", "the request is too large"))

// ration receives bodies, and makes what is handled wait for each other.
func (l *rationing) ration(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			r.Body = http.NoBody // nothing reads it
		}
		if r.ContentLength == 0 || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		done, err := l.receive(w, r)
		if err != nil {
			w.Header().Set("Connection", "close") // what is left of the body isn't read
			if p := problem.As(err); p != nil && p.Status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "10")
			}
			Fail(w, r, err)
			return
		}
		defer done()
		next.ServeHTTP(w, r)
	})
}

// receive puts the whole body where it is read from, and takes the room that handling it needs. done gives all of it back.
func (l *rationing) receive(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	most, api := l.most(r)
	switch {
	case !api:
		most = otherBody
	case most <= 0: // it takes none: whatever comes is left
		most = smallBody
	}
	if r.ContentLength > most {
		return nil, errLarge
	}
	caller := l.caller(r.Context())
	var gives []func()
	release := func() {
		for _, give := range gives {
			give()
		}
	}
	defer func() {
		if err != nil {
			release()
		}
	}()
	in := &incoming{body: r.Body, control: http.NewResponseController(w), began: time.Now(), patience: l.patience, most: most}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "" || strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json") {
		in.count = true
	}
	declared := r.ContentLength
	if declared < 0 {
		declared = most
	}
	if declared > smallBody && caller == "" {
		declared = smallBody // what is longer is refused
		if r.ContentLength > 0 {
			return nil, problem.New("auth.needed", http.StatusUnauthorized, lang.T("큰 자료를 보내시려면 로그인해 주십시오", "sign in to send something large"))
		}
		in.most = smallBody
	}
	size := int64(0)
	if declared <= smallBody {
		in.whole = true
		var text bytes.Buffer
		if size, err = io.Copy(&text, in); err == nil {
			r.Body = body{&text, r.Body}
		}
	} else {
		if err = l.hold(caller, declared); err != nil {
			return nil, err
		}
		gives = append(gives, func() { l.drop(caller, declared) })
		var file *os.File
		if file, err = unnamed(l.folder); err == nil {
			gives = append(gives, func() { _ = file.Close() })
			var from io.Reader
			if from, size, err = l.spool(file, in); err == nil {
				r.Body = body{from, r.Body}
			}
		}
	}
	if err != nil {
		return nil, unfinished(err)
	}
	_ = in.control.SetReadDeadline(time.Time{}) // all is here: what watches the connection now may wait
	ctx, cancel := context.WithTimeout(r.Context(), waitForRoom)
	defer cancel()
	take := func(room *semaphore.Weighted, n int64) error {
		if n == 0 {
			return nil
		}
		if err := room.Acquire(ctx, n); err != nil {
			return errBusy
		}
		gives = append(gives, func() { room.Release(n) })
		return nil
	}
	values, ofOne := l.values, int64(mostValues)
	if caller == "" {
		values, ofOne = l.strangers, strangersValues
	}
	if in.values > ofOne {
		return nil, problem.New("request.values", http.StatusRequestEntityTooLarge, lang.F("요청에 담긴 값이 너무 많습니다 (최대 %d개)", "the request holds too many values (at most %d)", ofOne))
	}
	if err = take(values, in.values); err == nil && size > smallBody {
		err = take(l.room, min(size, allBodies))
	}
	return release, err
}

// unfinished says why a body isn't there.
func unfinished(err error) error {
	var late net.Error
	switch {
	case problem.As(err) != nil:
		return err
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &late) && late.Timeout() || errors.Is(err, io.ErrUnexpectedEOF):
		return problem.New("request.slow", http.StatusRequestTimeout, lang.T("요청이 끝까지 오지 않았습니다", "the request didn't come to its end"))
	}
	if errors.Is(err, syscall.ENOSPC) {
		return problem.Full()
	}
	return fmt.Errorf("receive a body: %w", err)
}

// hold counts a large body that begins to come.
func (l *rationing) hold(caller string, size int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.held[caller]
	if caller != everybody && (had.bodies >= callerBodies || had.bytes+size > callerBytes && had.bodies > 0) || l.received+size > allReceived {
		return errBusy
	}
	l.held[caller] = held{had.bodies + 1, had.bytes + size}
	l.received += size
	return nil
}

func (l *rationing) drop(caller string, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received -= size
	had := l.held[caller]
	if l.held[caller] = (held{had.bodies - 1, had.bytes - size}); had.bodies <= 1 {
		delete(l.held, caller)
	}
}

// unnamed is a file that goes with whoever has it open.
func unnamed(folder string) (*os.File, error) {
	f, err := os.CreateTemp(folder, "maru-body-")
	if err != nil {
		return nil, fmt.Errorf("make a file for a body: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("make a file for a body: %w", err)
	}
	return f, nil
}

// spool writes a body into a file, enciphered, and gives it back to be read.
func (l *rationing) spool(file *os.File, in io.Reader) (io.Reader, int64, error) {
	iv := make([]byte, aes.BlockSize)
	_, _ = rand.Read(iv) // it never fails
	n, err := io.Copy(cipher.StreamWriter{S: cipher.NewCTR(l.block, iv), W: file}, in)
	if err != nil {
		return nil, n, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, n, fmt.Errorf("read a body again: %w", err)
	}
	return cipher.StreamReader{S: cipher.NewCTR(l.block, iv), R: file}, n, nil
}

// body is one that was received.
type body struct {
	io.Reader
	io.Closer
}

// incoming reads a body as it comes: not too slowly, not too much, and counting its values of JSON.
type incoming struct {
	body     io.Reader
	control  *http.ResponseController
	began    time.Time
	patience time.Duration
	whole    bool // all has to be there within the patience
	most     int64
	read     int64

	count           bool
	values          int64
	inText, escaped bool
}

// Read implements [io.Reader].
func (in *incoming) Read(p []byte) (int, error) {
	until := in.began.Add(in.patience)
	if !in.whole {
		until = until.Add(time.Duration(in.read/slowest) * time.Second)
		if soon := time.Now().Add(in.patience); soon.Before(until) {
			until = soon
		}
	}
	_ = in.control.SetReadDeadline(until) // a writer that has none is no connection
	n, err := in.body.Read(p)
	if in.read += int64(n); in.read > in.most {
		return n, errLarge
	}
	if in.count {
		in.look(p[:n])
	}
	return n, err
}

// look counts the values of a piece of JSON: what opens, and what stands behind a comma or a colon.
func (in *incoming) look(p []byte) {
	for _, c := range p {
		switch {
		case in.escaped:
			in.escaped = false
		case in.inText && c == '\\':
			in.escaped = true
		case c == '"':
			in.inText = !in.inText
		case in.inText:
		case c == '{' || c == '[' || c == ',' || c == ':':
			in.values++
		}
	}
}
