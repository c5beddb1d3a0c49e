// Package clock says what time it is, so that tests and scenarios can say something else.
//
// Code that depends on the time takes a [Clock] instead of calling time.Now: [Real] in the program, a [Fake] in tests, which stands
// still until it is told to move. [Seoul] is the zone in which the city's days begin; [Today] is the day there, in the form that
// dates have everywhere in Maru.
//
// It measures nothing: for how long something took, use the monotonic time of package time. It sets no timers: work for later is a
// job (engine/jobs).
package clock
