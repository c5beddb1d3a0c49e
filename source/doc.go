// Package source reads what other systems have: files in a folder, addresses on the web, tables of databases. It only reads, changes nothing there, and
// copies what it read as a file of rows that an import understands.
package source
