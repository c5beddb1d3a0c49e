// Package identity says who is asking and what they may.
//
// A [Principal] is a citizen, an official or a service account. It comes from an OpenID Connect provider: pages have a session ([Sessions]),
// programs a bearer token ([Tokens]); [Gate] finds it for every request and [From] gives it to handlers. Nobody is a principal too, who may little.
//
// What a principal may do is in one table, [May]: roles, acts and how far they reach. The package knows no project or dataset; who asks says
// whose the thing is.
package identity
