package manifest

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when something is due next. Cron fields are read in Seoul's time.
type Schedule interface {
	Next(after time.Time) time.Time
}

type every time.Duration

func (e every) Next(after time.Time) time.Time { return after.Add(time.Duration(e)) }

type seoulCron struct{ cron.Schedule }

func (s seoulCron) Next(after time.Time) time.Time { return s.Schedule.Next(after.In(Seoul)) }

// MinInterval is the shortest time between two runs of a schedule.
const MinInterval = 10 * time.Second

// ParseSchedule reads "every 15m" or a cron expression of five fields.
func ParseSchedule(s string) (Schedule, error) {
	if rest, ok := strings.CutPrefix(s, "every "); ok {
		d, err := time.ParseDuration(strings.TrimSpace(rest))
		if err != nil {
			return nil, err
		}
		if d < MinInterval {
			return nil, fmt.Errorf("every %s is more often than %s", d, MinInterval)
		}
		return every(d), nil
	}
	c, err := cron.ParseStandard(s)
	if err != nil {
		return nil, err
	}
	return seoulCron{c}, nil
}
