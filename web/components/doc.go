// Package components is what all pages of Maru are made of: the frame around a page and the parts inside it.
//
// [Layout] is the frame: banner, skip link, header with menus and languages, breadcrumb, heading, footer. The parts look like KRDS,
// the Korean government's design system: [Table], [Badge], [Facts], [Tabs], [Pager], [Search], [Alert], [Empty], [Differences],
// [Code], [Progress]. Numbers, sums and dates are written by [Number], [Won], [Day] and [Moment].
//
// Texts stand beside their use in both languages, through [Say]; the reader's language and the [Site] come with the context, from
// [Prepare]. A page is rendered whole before its first byte is sent ([Render]), so that a failure becomes a page of its own ([Failure]).
//
// The package knows nothing of catalogs and datasets, and asks nobody for data.
package components
