// Package portal is the citizens' door: for now, a calm page to find the city's open data.
//
// Services, life events and applications have no page here before they exist. A dataset is open when every one of its fields is
// public; the others are not listed and not counted.
package portal
