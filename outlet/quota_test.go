package outlet

import (
	"testing"
	"time"
)

func TestAKeyHasItsCallsOfADay(t *testing.T) {
	q := &quota{}
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for i := range maxCalls {
		if !q.take("a", noon) {
			t.Fatalf("call %d", i)
		}
	}
	if q.take("a", noon) {
		t.Error("one more than a day's")
	}
	if !q.take("b", noon) {
		t.Error("another key's")
	}
	if !q.take("a", noon.Add(3*time.Hour)) { // midnight in Seoul is 15:00 UTC
		t.Error("the next day")
	}
}
