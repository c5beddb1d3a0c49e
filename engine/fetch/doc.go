// Package fetch gets documents from other servers at addresses that people wrote.
//
// Whoever can write an address could make the server ask in places only it reaches: its own loopback, the inside of the network, the
// cloud's metadata service (server-side request forgery, CWE-918). A [Client] therefore connects to public addresses only, whatever name they
// bear, unless the operator allows others; it is checked at the moment of connecting, so that neither redirects nor a name that changes its
// address get around it. Time and size are bounded.
package fetch
