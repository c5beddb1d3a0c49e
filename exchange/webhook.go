package exchange

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Hooks is what the exchange needs to post events to addresses.
type Hooks struct {
	// Post sends a body to an address; an error where it isn't answered by a status of success.
	Post   func(ctx context.Context, address string, header http.Header, body []byte) error
	Secret func(project, name string) (string, error)
}

// hookCursor is the place in a feed up to which its webhook has had the events.
const hookCursor = "webhook"

// hookPause is how long to wait before an event is posted again: from two seconds to an hour.
func hookPause(attempt int) time.Duration {
	return min(2*time.Second<<min(attempt-1, 12), time.Hour)
}

// hooks posts the events of the feeds whose agreements say where to.
type hooks struct {
	*sender
	running map[string]func() // stream and address → ends it
}

// settle makes the feeds that are posted those that should be.
func (h *hooks) settle(ctx context.Context, feeds []*feed) error {
	wanted := map[string]func(context.Context){}
	for _, f := range feeds {
		v, err := h.x.holds(ctx, f.project, f.name)
		if problem.As(err) != nil {
			continue // suspended, cut off: it begins again where it was
		}
		if err != nil {
			return err
		}
		if v.Spec.Webhook != "" {
			wanted[StreamOf(f.project, f.name)+" "+v.Spec.Webhook+" "+v.Spec.Secret] = func(ctx context.Context) { h.run(ctx, f.project, f.name, v.Spec) }
		}
	}
	for key, stop := range h.running {
		if wanted[key] == nil {
			stop()
			delete(h.running, key)
		}
	}
	for key, run := range wanted {
		if h.running[key] != nil {
			continue
		}
		own, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			run(own)
		}()
		h.running[key] = func() { stop(); <-done }
	}
	return nil
}

func (h *hooks) stop() {
	for key, stop := range h.running {
		stop()
		delete(h.running, key)
	}
}

// holds is the contract by which may be read now, or the problem that there is none.
func (x *Exchange) holds(ctx context.Context, project, name string) (c *contract, err error) {
	err = x.caughtUp(ctx, func() error {
		return x.db.Read(ctx, func(tx *db.Tx) (err error) {
			c, err = x.active(ctx, tx, project, name)
			return err
		})
	})
	return c, err
}

// holding is the version of an agreement that is active or suspended; nil for none.
func (x *Exchange) holding(ctx context.Context, project, name string) (v *Version, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		all, err := x.named(ctx, tx, project, name)
		if err == nil && len(all) > 0 {
			v = standings(all)[0].Holds
		}
		return err
	})
	return v, err
}

// run posts the events of a feed one after the other until ctx ends.
func (h *hooks) run(ctx context.Context, project, name string, spec *manifest.Agreement) {
	for ctx.Err() == nil {
		err := h.bus.Follow(ctx, StreamOf(project, name), hookCursor, hookPause, func(ctx context.Context, data []byte, attempt int) error {
			return h.x.noted(ctx, project, name, attempt, h.post(ctx, project, name, spec, data))
		})
		if err == nil || ctx.Err() != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second): // until the next try
		}
	}
}

// post posts one event, signed as Standard Webhooks has it (https://www.standardwebhooks.com): by HMAC-SHA-256 over id, time and body.
func (h *hooks) post(ctx context.Context, project, name string, spec *manifest.Agreement, data []byte) error {
	if _, err := h.x.holds(ctx, project, name); err != nil {
		return err
	}
	var e cloudEvent
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	secret, err := h.x.hooks.Secret(project, spec.Secret)
	if err != nil {
		return err
	}
	at := strconv.FormatInt(h.x.now().Unix(), 10)
	return h.x.hooks.Post(ctx, spec.Webhook, http.Header{
		"Content-Type": {"application/cloudevents+json; charset=utf-8"}, "Webhook-Id": {e.ID}, "Webhook-Timestamp": {at}, "Webhook-Signature": {Sign(secret, e.ID, at, data)},
	}, data)
}

// Sign is the signature of a webhook's message: v1, and the HMAC-SHA-256 in base64. A secret that begins with whsec_ is the key in base64, another is the key itself.
func Sign(secret, id, at string, body []byte) string {
	key := []byte(secret)
	if rest, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if decoded, err := base64.StdEncoding.DecodeString(rest); err == nil {
			key = decoded
		}
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// noted notes how the posting of a feed's event went, and returns it.
func (x *Exchange) noted(ctx context.Context, project, name string, attempt int, outcome error) error {
	reason := lang.Text{}
	switch p := problem.As(outcome); {
	case outcome == nil && attempt == 1:
		return nil
	case outcome == nil:
		attempt = 0
	case p != nil:
		reason = p.Detail
	case errors.Is(outcome, context.Canceled):
		return outcome
	default:
		reason = lang.T("알림을 보내지 못했습니다", "the event couldn't be posted")
	}
	text, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	err = x.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE feed SET hook_failed = ?, hook_reason = ?, hook_at = ? WHERE project = ? AND name = ?", attempt, string(text), manifest.FormatDatetime(x.now()), project, name)
		return err
	})
	return errors.Join(outcome, err)
}

// FeedState is how an agreement's feed stands.
type FeedState struct {
	Stream  string
	Waiting bool      // changes haven't been looked at yet; how many, would tell of what others see
	Failed  int64     // how often in a row the webhook didn't take the event that is next
	Reason  lang.Text // why not, the last time
	At      time.Time // then
}

// Feed says how the feed of an agreement stands; nil where it has none.
func (x *Exchange) Feed(ctx context.Context, project, name string) (*FeedState, error) {
	out := &FeedState{Stream: StreamOf(project, name)}
	err := x.db.Read(ctx, func(tx *db.Tx) error {
		var position int64
		var dataset, reason, at string
		err := tx.QueryRow(ctx, "SELECT dataset, position, hook_failed, hook_reason, hook_at FROM feed WHERE project = ? AND name = ?", project, name).Scan(&dataset, &position, &out.Failed, &reason, &at)
		if db.NoRows(err) {
			out = nil
			return nil
		}
		if err != nil {
			return err
		}
		if at != "" {
			if out.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
				return err
			}
		}
		if err := json.Unmarshal([]byte(reason), &out.Reason); err != nil {
			return err
		}
		from, of := cut(dataset)
		if d := x.catalog().Dataset(from, of); d != nil {
			out.Waiting, err = x.registry.Waiting(ctx, tx, d, position)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at the feed of %s/%s: %w", project, name, err)
	}
	return out, nil
}
