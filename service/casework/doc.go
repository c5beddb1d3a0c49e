// Package casework is what becomes of an application: its cases, and what citizens and offices do with them.
//
// A citizen's [Store.Submit] makes one [Case] for each service, all of them or none. Each belongs to an office, is due by the law's clock (package term), and goes from state to state by the actions
// of its process ([Case.Actions], [Store.Act]): a table says who may do what in which state. Each step is an entry in its history. Two who act at once on one version of a case don't both succeed.
//
// What people said and what was read about them is sealed where it is stored. A case keeps the revision of the catalog it was applied for by: [Store.Reproduce] makes the verdict again from it.
//
// It decides nothing by itself: what [Store.Wake] does when a time has come is told to people, who decide.
package casework
