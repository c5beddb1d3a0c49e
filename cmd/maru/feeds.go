package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/maru-city/maru/engine/bus"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// demoEvents is where the demo's bus listens, unless another program does.
const demoEvents = "127.0.0.1:4222"

// openFeeds starts the bus of events.
func (s *server) openFeeds(ctx context.Context, c config) error {
	o := bus.Options{Folder: filepath.Join(c.Data, "events"), Listen: c.Events, Allow: s.mayFollow}
	switch {
	case c.Demo && o.Listen == "":
		o.Listen = demoEvents
		if l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", demoEvents); err != nil {
			o.Listen = "127.0.0.1:0"
			slog.Warn("another program has the port of events; they are read elsewhere", "wanted", demoEvents, "error", err)
		} else {
			l.Close()
		}
	case o.Listen != "" && c.TLSCert != "":
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return problem.New("config.tls", 400, lang.F("TLS 인증서나 개인 키를 읽을 수 없습니다: %s", "the TLS certificate or its key can't be read: %s", err.Error()))
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	case o.Listen != "":
		if host, _, err := net.SplitHostPort(o.Listen); err != nil || !loopback(host) {
			return problem.New("config.events", 400, lang.F("TLS 없이는 이 주소에서 알림을 보낼 수 없습니다: %s", "without TLS events aren't sent from %s", o.Listen)).
				Hinting(lang.T("--tls-cert와 --tls-key를 지정하거나 127.0.0.1:4222처럼 이 컴퓨터의 주소를 쓰세요", "give --tls-cert and --tls-key, or an address of this machine such as 127.0.0.1:4222"))
		}
	}
	var err error
	if s.bus, err = bus.Open(ctx, o); err != nil {
		return err
	}
	if o.Listen == "127.0.0.1:0" {
		slog.Info("events", "at", s.bus.Address())
	}
	s.closers = append(s.closers, s.bus)
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// mayFollow says who a client of the bus is by its access token, and what it may read.
func (s *server) mayFollow(ctx context.Context, token string) (bus.Reader, error) {
	if s.gate.Provider == nil {
		return bus.Reader{}, problem.New("auth.refused", 403, lang.T("로그인을 맡을 시스템이 없어 알림을 받을 수 없습니다", "without an identity provider nobody follows events"))
	}
	who, err := s.gate.Provider.Bearer(ctx, token)
	if err != nil {
		return bus.Reader{}, err
	}
	return s.exchange.Follows(ctx, who)
}

// eventsAt is where the bus listens, host:port; "" where it doesn't.
func (s *server) eventsAt() string { return strings.TrimPrefix(s.bus.Address(), "nats://") }
