// Package portal is the citizens' door: the city's open data; who read what about oneself, with the proof; consents. Signing in and out is here too, for
// all doors, and the demo's page on which one chooses who to be.
//
// Services, life events and applications have no page here before they exist. A dataset is open when every one of its fields is
// public; the others are not listed and not counted.
package portal
