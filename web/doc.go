// Package web serves the pages of Maru: portal and console, with what the browser needs beside them.
//
// [New] makes one handler for all of it. It picks the reader's language, sets the headers that keep pages from loading anything from
// elsewhere, and answers addresses that lead nowhere with a page. Pages are made in web/portal and web/console of the parts in
// web/components; scripts, styles and typeface come from web/assets.
//
// It serves no data but HTML; the JSON API lies beside it, under /api.
package web
