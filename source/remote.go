package source

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// remoteTime is how long a server may take to let us in.
const remoteTime = 30 * time.Second

// shelf is where files lie.
type shelf interface {
	list(ctx context.Context, name string) ([]dropped, error)
	open(ctx context.Context, name string) (io.ReadCloser, int64, error)
	Close() error
}

// shelfOf opens where the files of a source lie, and says the name of its file or folder there.
func (r *Reader) shelfOf(ctx context.Context, q Request, address, secret string) (shelf, string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		root, err := r.folderOf(q.Project)
		return own{root}, address, err
	}
	if u.Scheme == "sftp" {
		s, err := r.sftp(ctx, u, q.Source.HostKey, secret)
		return s, u.Path, err
	}
	bucket, name, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	line := &allowance{}
	line.let(maxListing)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := r.Net.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &bounded{c, line}, nil
	}
	transport := &http.Transport{DisableCompression: true, DialContext: dial, TLSHandshakeTimeout: remoteTime, ResponseHeaderTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10}
	client, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: u.Scheme == "s3", Transport: transport, MaxRetries: 1})
	if err != nil {
		return nil, "", remoteFault(u, err)
	}
	return &bucketShelf{u, client, transport, line, bucket}, name, nil
}

// bucketShelf is a bucket of an object store (S3).
type bucketShelf struct {
	at        *url.URL
	client    *minio.Client
	transport *http.Transport
	line      *allowance
	bucket    string
}

func (b *bucketShelf) list(ctx context.Context, name string) (out []dropped, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if name != "" {
		name = strings.TrimSuffix(name, "/") + "/"
	}
	b.line.let(maxListing)
	for o := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: name}) {
		if b.line.over() {
			return nil, tooMany(name)
		}
		if o.Err != nil {
			return nil, b.fault(ctx, o.Err)
		}
		if base := strings.TrimPrefix(o.Key, name); base != "" && !strings.HasSuffix(base, "/") {
			out = append(out, dropped{base, o.Size, o.LastModified.UTC()})
		}
		if len(out) > maxListed {
			return nil, tooMany(name)
		}
	}
	return out, nil
}

func (b *bucketShelf) open(ctx context.Context, name string) (io.ReadCloser, int64, error) {
	b.line.let(2 * maxSource) // a file, and what goes around it
	o, err := b.client.GetObject(ctx, b.bucket, name, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, b.fault(ctx, err)
	}
	info, err := o.Stat()
	if err != nil {
		o.Close()
		if minio.ToErrorResponse(err).Code == "NoSuchKey" {
			return nil, 0, noFile(name)
		}
		return nil, 0, b.fault(ctx, err)
	}
	return o, info.Size, nil
}

func (b *bucketShelf) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if said := minio.ToErrorResponse(err); said.Code != "" && said.StatusCode != 0 {
		err = errors.New(said.Code)
		if said.StatusCode == http.StatusForbidden || said.StatusCode == http.StatusUnauthorized {
			return refused(b.at)
		}
	}
	return remoteFault(b.at, err)
}

func (b *bucketShelf) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// sftpShelf is a folder of another server.
type sftpShelf struct {
	at     *url.URL
	client *sftp.Client
	conn   *ssh.Client
	line   *allowance
}

// sftp connects to a server whose key is known. The secret is a private key where it is one, else a password.
func (r *Reader) sftp(ctx context.Context, u *url.URL, key, secret string) (*sftpShelf, error) {
	auth := []ssh.AuthMethod{ssh.Password(secret)}
	if strings.HasPrefix(secret, "-----BEGIN") {
		signer, err := ssh.ParsePrivateKey([]byte(secret + "\n"))
		if err != nil {
			return nil, problem.New("source.secret", 422, lang.T("SFTP 개인키를 읽을 수 없습니다", "the private key for SFTP can't be read")).
				Hinting(lang.T("암호를 걸지 않은 OpenSSH 형식의 개인키를 두십시오", "it must be one in OpenSSH's form, without a passphrase"))
		}
		auth = []ssh.AuthMethod{ssh.PublicKeys(signer)}
	}
	other := false
	config := &ssh.ClientConfig{User: u.User.Username(), Auth: auth, Timeout: remoteTime, ClientVersion: "SSH-2.0-maru", HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error {
		if ssh.FingerprintSHA256(k) == key {
			return nil
		}
		other = true
		return errors.New("another key")
	}}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "22")
	}
	dialing, stop := context.WithTimeout(ctx, remoteTime)
	defer stop()
	dialed, err := r.Net.Dial(dialing, "tcp", host)
	if err != nil {
		return nil, remoteFault(u, err)
	}
	raw := &bounded{dialed, &allowance{}}
	raw.let(maxListing)
	_ = raw.SetDeadline(time.Now().Add(remoteTime))
	conn, channels, requests, err := ssh.NewClientConn(raw, host, config)
	switch {
	case other:
		raw.Close()
		return nil, problem.New("source.hostkey", 502, lang.F("%s 서버의 호스트 키가 선언문에 적힌 키와 다릅니다. 다른 서버일 수 있어 접속하지 않았습니다", "%s has another key than the manifest says: it may be another server, so nothing was sent to it", u.Host)).
			Hinting(lang.T("서버 관리자에게 키를 확인하고 source.hostkey를 고치십시오 (ssh-keyscan 서버 | ssh-keygen -lf -)", "ask who keeps the server for its key, and mend source.hostkey (ssh-keyscan HOST | ssh-keygen -lf -)"))
	case err != nil && strings.Contains(err.Error(), "unable to authenticate"):
		raw.Close()
		return nil, refused(u)
	case err != nil:
		raw.Close()
		return nil, remoteFault(u, err)
	}
	_ = raw.SetDeadline(time.Now().Add(tableTime))
	client := ssh.NewClient(conn, channels, requests)
	files, err := sftp.NewClient(client)
	if err != nil {
		client.Close()
		return nil, remoteFault(u, err)
	}
	return &sftpShelf{u, files, client, raw.allowance}, nil
}

func (s *sftpShelf) list(ctx context.Context, name string) (out []dropped, err error) {
	s.line.let(maxListing)
	entries, err := s.client.ReadDirContext(ctx, name)
	if s.line.over() {
		return nil, tooMany(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noFolder(name)
	}
	if err != nil {
		return nil, remoteFault(s.at, err)
	}
	if len(entries) > maxListed {
		return nil, tooMany(name)
	}
	for _, e := range entries {
		if e.Mode().IsRegular() {
			out = append(out, dropped{e.Name(), e.Size(), e.ModTime().UTC()})
		}
	}
	return out, nil
}

func (s *sftpShelf) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	s.line.let(2 * maxSource) // a file, and what goes around it
	f, err := s.client.Open(name)
	if err != nil {
		return nil, 0, noFile(path.Base(name))
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, remoteFault(s.at, err)
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, 0, noFile(path.Base(name))
	}
	return f, info.Size(), nil
}

// maxListing is how much a server may send for a list of maxListed files, in bytes: their names, twice, and what is said of them.
const maxListing = 16 << 20

// allowance is how much may still come, in bytes: what reads a list that doesn't end would keep all of it.
type allowance struct{ left atomic.Int64 }

func (a *allowance) let(n int64) { a.left.Store(n) }

func (a *allowance) over() bool { return a.left.Load() < 0 }

// bounded is a connection by which no more comes than is allowed.
type bounded struct {
	net.Conn
	*allowance
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if b.left.Add(-int64(n)) < 0 {
		return 0, errTooMuch
	}
	return n, err
}

var errTooMuch = errors.New("more than may be")

// Close ends the connection itself: a server may never answer that a session ends.
func (s *sftpShelf) Close() error { return s.conn.Close() }

// remoteFault says that a server can't be read.
func remoteFault(u *url.URL, err error) error {
	if p := problem.As(err); p != nil {
		return p
	}
	return problem.New("source.remote", 502, lang.F("파일 서버를 읽을 수 없습니다: %[1]s (%[2]s)", "the server of files %[1]s can't be read: %[2]s", u.Scheme+"://"+u.Host, brief(said(err))))
}

func refused(u *url.URL) error {
	return problem.New("source.refused", 502, lang.F("파일 서버가 접속을 거부했습니다: %s", "the server of files %s doesn't let us in", u.Scheme+"://"+u.Host)).
		Hinting(lang.T("주소의 사용자(또는 접근 키)와 비밀값(source.secret)을 확인하십시오", "check the user or access key in the address, and the secret (source.secret)"))
}
