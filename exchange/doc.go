// Package exchange is the one way to data across projects: principal and purpose → agreement → fields, rows, masks, rate → records and a receipt.
//
// [Exchange.Read] reads by an agreement. The receipt is durable before the data leave; where it can't be, no data leave. Agreements are declared as manifests;
// their life — requested, approved, active, suspended, revoked — is kept here, for the catalog's documents don't change by approval. A citizen's
// receipts and consents are here too.
//
// In a project's datasets people are called by identifiers of the project's own. The exchange knows whom they mean and translates them; nobody
// else does.
package exchange
