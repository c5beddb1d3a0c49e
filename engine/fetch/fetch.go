package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Limits of one document.
const (
	timeout      = 10 * time.Minute
	postTimeout  = 30 * time.Second
	dialTimeout  = 10 * time.Second
	maxRedirects = 5
)

// Client gets documents. It is safe for concurrent use.
type Client struct {
	http   http.Client
	dialer *net.Dialer
}

// New makes a client that connects to public addresses and to those of allowed.
func New(allowed []netip.Prefix) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", address, err)
		}
		if ip := at.Addr().Unmap().WithZone(""); !public(ip) && !slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			return problem.New("fetch.private", 422, lang.F("내부망 주소는 읽지 않습니다: %s", "%s isn't a public address and isn't read", ip.String())).
				Hinting(lang.T("운영자가 설정의 fetch에서 그 주소 대역을 허용할 수 있습니다", "the operator can allow its network in the setting fetch"))
		}
		return nil
	}}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute}
	return &Client{dialer: dialer, http: http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		req.Header.Del("Referer") // addresses hold keys
		if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
			req.Header = http.Header{"User-Agent": {"maru"}} // a key is for the one it was given for
		}
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		return nil
	}}}
}

// Dial connects to an address that the client may reach, by TCP.
func (c *Client) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") { // sockets are files of this machine
		return nil, problem.New("fetch.private", 422, lang.F("네트워크 주소만 읽습니다: %s", "%s is no address of a network", address))
	}
	return c.dialer.DialContext(ctx, network, address)
}

// public reports whether an address is of the public internet.
func public(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(a) })
}

// reserved are networks that aren't public beyond those netip knows (RFC 6890).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

// Get opens a document of at most limit bytes. header goes with the request, and not to another host that it may lead to. A longer one ends in a problem with code fetch.size. Other codes: fetch.failed, fetch.status,
// fetch.private.
func (c *Client) Get(ctx context.Context, address string, header http.Header, limit int64) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, failed(address, err)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("User-Agent", "maru")
	res, err := c.http.Do(req)
	if err != nil {
		if p := problem.As(err); p != nil {
			return nil, p
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failed(address, err)
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		p := problem.New("fetch.status", 502, lang.F("%[1]s 서버가 오류로 응답했습니다 (HTTP 상태 %[2]d)", "%[1]s answered %[2]d", place(address), res.StatusCode))
		p.With = map[string]any{"status": res.StatusCode}
		return nil, p
	}
	return &limited{body: res.Body, left: limit, limit: limit, address: address}, nil
}

// Post sends a body to an address that the client may reach, within half a minute. It follows no redirects: what is sent is for that address. Where it isn't answered by a status of
// success, it returns a problem with code fetch.failed, fetch.status or fetch.private.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return failed(address, err)
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", "maru")
	direct := c.http
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := direct.Do(req)
	if err != nil {
		if p := problem.As(err); p != nil {
			return p
		}
		return failed(address, err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection serves again
	if res.StatusCode/100 != 2 {
		return problem.New("fetch.status", 502, lang.F("%[1]s 서버가 오류로 응답했습니다 (HTTP 상태 %[2]d)", "%[1]s answered %[2]d", place(address), res.StatusCode))
	}
	return nil
}

func failed(address string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return problem.New("fetch.failed", 502, lang.F("자료를 읽을 수 없습니다: %s (%s)", "%s can't be read: %s", place(address), err.Error()))
}

// place is an address without its query and path, in which keys may stand.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return u.Scheme + "://" + u.Host
}

// limited reads a body up to its limit.
type limited struct {
	body        io.ReadCloser
	left, limit int64
	address     string
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, problem.New("fetch.size", 502, lang.F("%[1]s 서버의 응답이 %[2]d바이트를 넘습니다", "the answer of %[1]s is longer than %[2]d bytes", place(l.address), l.limit))
	}
	n, err := l.body.Read(p[:min(int64(len(p)), l.left+1)])
	l.left -= int64(n)
	if l.left < 0 {
		return n - 1, nil // the next call says it
	}
	return n, err
}

func (l *limited) Close() error { return l.body.Close() }
