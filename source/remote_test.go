package source

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// sshServer serves a folder by SFTP to the user maru, with a password or a key. It returns its address and its key.
func sshServer(t *testing.T, folder, password string, allowed ssh.PublicKey) (address, key string) {
	t.Helper()
	return sshServing(t, password, allowed, func(channel ssh.Channel) {
		server, err := sftp.NewServer(channel, sftp.ReadOnly(), sftp.WithServerWorkingDirectory(folder))
		if err == nil {
			_ = server.Serve()
		}
	})
}

// sshServing lets the user maru in, and serves SFTP as it is told.
func sshServing(t *testing.T, password string, allowed ssh.PublicKey, serve func(ssh.Channel)) (address, key string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	host, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{
		PasswordCallback: func(c ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if c.User() != "maru" || string(given) != password {
				return nil, errors.New("no")
			}
			return nil, nil
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if allowed == nil || !bytes.Equal(k.Marshal(), allowed.Marshal()) {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	}
	config.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, channels, requests, err := ssh.NewServerConn(raw, config)
				if err != nil {
					return
				}
				go ssh.DiscardRequests(requests)
				for c := range channels {
					channel, asked, err := c.Accept()
					if err != nil {
						return
					}
					go func() {
						for r := range asked {
							_ = r.Reply(r.Type == "subsystem", nil)
						}
					}()
					serve(channel)
				}
			}()
		}
	}()
	return "maru@" + l.Addr().String(), ssh.FingerprintSHA256(host.PublicKey())
}

// monday puts a file into a folder, so many seconds ago.
func monday(t *testing.T, folder, name, text string, ago time.Duration) {
	t.Helper()
	at := filepath.Join(folder, name)
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(at, time.Now(), time.Now().Add(-ago)); err != nil {
		t.Fatal(err)
	}
}

func TestTheNewestFileOfAnotherServersFolderIsRead(t *testing.T) {
	r, own := reader(t)
	there := t.TempDir()
	address, key := sshServer(t, there, password, nil)
	secret(t, own, password)
	monday(t, there, "a.csv", "id\n1\n", time.Hour)
	monday(t, there, "b.csv", "id\n2\n", time.Minute)
	monday(t, there, "c.csv.part", "id\n", time.Minute)
	from := manifest.Source{Folder: "sftp://" + address + there, HostKey: key, Secret: "old"}
	read := func(since string) (string, Copied, error) {
		var b bytes.Buffer
		c, err := r.Copy(t.Context(), Request{Project: "trial", Source: &from, Since: since}, &b)
		return b.String(), c, err
	}
	got, c, err := read("")
	if err != nil || got != "id\n2\n" || c.File != "b.csv" {
		t.Fatal(got, c, err)
	}
	if _, again, err := read(c.Next); err != nil || !again.Nothing {
		t.Errorf("nothing new: %+v %v", again, err)
	}
	from.Folder, from.File = "", "sftp://"+address+there+"/a.csv"
	if got, _, err := read(""); err != nil || got != "id\n1\n" {
		t.Errorf("a file: %q %v", got, err)
	}
	for what, change := range map[string]func(){
		"source.file":    func() { from.File += "x" },
		"source.hostkey": func() { from.HostKey = "SHA256:" + strings.Repeat("A", 43) },
		"source.refused": func() { secret(t, own, "another") },
		"fetch.private":  func() { r.Net = fetch.New(nil) },
	} {
		was, net := from, r.Net
		change()
		if _, _, err := read(""); problem.Code(err) != what {
			t.Errorf("%s: %v", what, err)
		}
		from, r.Net = was, net
		secret(t, own, password)
	}
}

// endless is a folder whose list never ends.
type endless struct{}

func (endless) Filelist(*sftp.Request) (sftp.ListerAt, error) { return endless{}, nil }

func (endless) ListAt(into []os.FileInfo, _ int64) (int, error) {
	for i := range into {
		into[i] = endlessFile{}
	}
	return len(into), nil
}

// endlessFile is one of its files.
type endlessFile struct{ os.FileInfo }

func (endlessFile) Name() string       { return strings.Repeat("a", 200) + ".csv" }
func (endlessFile) Size() int64        { return 1 }
func (endlessFile) Mode() os.FileMode  { return 0o600 }
func (endlessFile) ModTime() time.Time { return time.Unix(0, 0) }
func (endlessFile) IsDir() bool        { return false }
func (endlessFile) Sys() any           { return nil }

func TestAListWithoutEndIsGivenUp(t *testing.T) {
	r, own := reader(t)
	secret(t, own, password)
	address, key := sshServing(t, password, nil, func(channel ssh.Channel) {
		_ = sftp.NewRequestServer(channel, sftp.Handlers{FileList: endless{}}).Serve()
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{Folder: "sftp://" + address + "/drops", HostKey: key, Secret: "old"}}, &bytes.Buffer{})
	runtime.ReadMemStats(&after)
	if problem.Code(err) != "source.file" || !strings.Contains(err.Error(), "10,000") {
		t.Error(err)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 128<<20 {
		t.Errorf("%d bytes more in use", grown)
	}
}

func TestAPageOfABucketThatIsTooLongIsGivenUp(t *testing.T) {
	r, own := reader(t)
	secret(t, own, "key")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		if r.URL.Query().Has("location") {
			_, _ = io.WriteString(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">us-east-1</LocationConstraint>`)
			return
		}
		_, _ = io.WriteString(w, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>`)
		for i := range 1_000_000 {
			if _, err := fmt.Fprintf(w, `<Contents><Key>%0200d</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>`, i); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `</ListBucketResult>`)
	}))
	t.Cleanup(s.Close)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{Folder: "s3+http://K@" + strings.TrimPrefix(s.URL, "http://") + "/bucket/f", Secret: "old"}}, &bytes.Buffer{})
	runtime.ReadMemStats(&after)
	if problem.Code(err) != "source.file" || !strings.Contains(err.Error(), "10,000") {
		t.Error(err)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 512<<20 {
		t.Errorf("%d bytes were taken", taken)
	}
}

func TestAPipeIsNoFile(t *testing.T) {
	r, own := reader(t)
	secret(t, own, "")
	for _, name := range []string{"pipe.csv", "pipe.db"} {
		if err := syscall.Mkfifo(filepath.Join(own, "trial", name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []manifest.Source{{File: "pipe.csv"}, {Database: "sqlite://pipe.db", Table: "x"}} {
		if _, err := r.Copy(t.Context(), Request{Project: "trial", Source: &from}, &bytes.Buffer{}); problem.Code(err) != "source.file" {
			t.Errorf("%+v: %v", from, err)
		}
	}
}

func TestAPrivateKeyLetsUsIn(t *testing.T) {
	r, own := reader(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	secret(t, own, string(pem.EncodeToMemory(block)))
	allowed, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	there := t.TempDir()
	monday(t, there, "a.csv", "id\n1\n", time.Hour)
	address, key := sshServer(t, there, "", allowed)
	var b bytes.Buffer
	if _, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{File: "sftp://" + address + there + "/a.csv", HostKey: key, Secret: "old"}}, &b); err != nil || b.String() != "id\n1\n" {
		t.Error(b.String(), err)
	}
}

// TestTheNewestObjectOfABucketIsRead runs against versitygw, an object store that keeps its objects in a folder.
func TestTheNewestObjectOfABucketIsRead(t *testing.T) {
	program := os.Getenv("MARU_TEST_VERSITYGW")
	if program == "" {
		t.Skip("MARU_TEST_VERSITYGW isn't set: make test-engines sets it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	store := t.TempDir()
	server := exec.CommandContext(t.Context(), program, "--access", "city", "--secret", "s3cret/+=", "--port", host, "posix", store)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	client, err := minio.New(host, &minio.Options{Creds: credentials.NewStaticV4("city", "s3cret/+=", "")})
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = client.MakeBucket(t.Context(), "drops", minio.MakeBucketOptions{}); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	put := func(name, text string) {
		t.Helper()
		if _, err := client.PutObject(t.Context(), "drops", name, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	put("welfare/a.csv", "id\n1\n")
	time.Sleep(1100 * time.Millisecond) // the store counts seconds
	put("welfare/b.csv", "id\n2\n")
	put("welfare/deeper/c.csv", "id\n3\n")
	r, own := reader(t)
	r.Now = func() time.Time { return time.Now().Add(time.Minute) }
	secret(t, own, "s3cret/+=")
	from := manifest.Source{Folder: "s3+http://city@" + host + "/drops/welfare", Secret: "old"}
	var b bytes.Buffer
	c, err := r.Copy(t.Context(), Request{Project: "trial", Source: &from}, &b)
	if err != nil || b.String() != "id\n2\n" || c.File != "b.csv" {
		t.Fatal(b.String(), c, err)
	}
	from.Folder, from.File = "", "s3+http://city@"+host+"/drops/welfare/none.csv"
	if _, err := r.Copy(t.Context(), Request{Project: "trial", Source: &from}, &b); problem.Code(err) != "source.file" {
		t.Errorf("an object that isn't there: %v", err)
	}
	secret(t, own, "wrong")
	if _, err := r.Copy(t.Context(), Request{Project: "trial", Source: &from}, &b); problem.Code(err) != "source.refused" {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestPagesAreReadToTheirEnd(t *testing.T) {
	const all = 25
	rows := func(from, n int) (out []string) {
		for i := from; i < min(from+n, all); i++ {
			out = append(out, fmt.Sprintf(`{"id": %d,
				"name": "가"}`, i))
		}
		return out
	}
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, from int, next string) {
		fmt.Fprintf(w, `{"data": {"items": [%s]}, "links": {"next": %s}}`, strings.Join(rows(from, 10), ","), next)
	}
	number := func(r *http.Request, name string) (n int) {
		_, _ = fmt.Sscan(r.URL.Query().Get(name), &n)
		return n
	}
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { page(w, 10*(number(r, "p")-1), "null") })
	mux.HandleFunc("/strict", func(w http.ResponseWriter, r *http.Request) {
		if from := 10 * (number(r, "p") - 1); from < all {
			page(w, from, "null")
			return
		}
		http.NotFound(w, r)
	})
	mux.HandleFunc("/offset", func(w http.ResponseWriter, r *http.Request) { page(w, number(r, "o"), "null") })
	mux.HandleFunc("/link", func(w http.ResponseWriter, r *http.Request) {
		next := "null"
		if o := number(r, "o") + 10; o < all {
			next = fmt.Sprintf(`"/link?o=%d"`, o)
		}
		page(w, number(r, "o"), next)
	})
	mux.HandleFunc("/cursor", func(w http.ResponseWriter, r *http.Request) {
		next := "null"
		if o := number(r, "c") + 10; o < all {
			next = fmt.Sprint(o)
		}
		page(w, number(r, "c"), next)
	})
	mux.HandleFunc("/forever", func(w http.ResponseWriter, _ *http.Request) { page(w, 0, "null") })
	mux.HandleFunc("/away", func(w http.ResponseWriter, _ *http.Request) { page(w, 0, `"http://elsewhere.example/"`) })
	mux.HandleFunc("/key", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") == password {
			page(w, 20, "null")
		}
	})
	mux.HandleFunc("/basic", func(w http.ResponseWriter, r *http.Request) {
		if user, given, _ := r.BasicAuth(); user == "maru" && given == password {
			page(w, 20, "null")
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	r, own := reader(t)
	secret(t, own, password)
	at := func(path string) string { return server.URL + path }
	basic, _ := url.Parse(server.URL)
	basic.User = url.User("maru")
	for _, c := range []struct {
		source manifest.Source
		rows   int64
		code   string
	}{
		{manifest.Source{HTTP: at("/page?p={page}"), Items: "data.items"}, 25, ""},
		{manifest.Source{HTTP: at("/strict?p={page}"), Items: "data.items"}, 25, ""},
		{manifest.Source{HTTP: at("/offset?o={offset}"), Items: "data.items"}, 25, ""},
		{manifest.Source{HTTP: at("/link"), Items: "data.items", Next: "links.next"}, 25, ""},
		{manifest.Source{HTTP: at("/cursor?c={cursor}"), Items: "data.items", Next: "links.next"}, 25, ""},
		{manifest.Source{HTTP: at("/key"), Items: "data.items", Next: "links.next", KeyHeader: "X-API-Key", Secret: "old"}, 5, ""},
		{manifest.Source{HTTP: basic.String() + "/basic", Items: "data.items", Next: "links.next", Secret: "old"}, 5, ""},
		{manifest.Source{HTTP: at("/forever?p={page}"), Items: "data.items"}, 0, "source.answer"},
		{manifest.Source{HTTP: at("/away"), Items: "data.items", Next: "links.next"}, 0, "source.answer"},
		{manifest.Source{HTTP: at("/page?p={page}"), Items: "data.rows"}, 0, "source.answer"},
	} {
		var b bytes.Buffer
		got, err := r.Copy(t.Context(), Request{Project: "trial", Source: &c.source}, &b)
		if c.code != "" {
			if problem.Code(err) != c.code {
				t.Errorf("%s: %v", c.source.HTTP, err)
			}
			continue
		}
		if lines := strings.Count(b.String(), "\n"); err != nil || got.Rows != c.rows || int64(lines) != c.rows || got.File != "source.jsonl" {
			t.Errorf("%s: %+v, %d lines, %v", c.source.HTTP, got, lines, err)
		}
	}
}
