// Package desk is the pages under /desk: the caseworkers' queue, and a case with what can be done to it.
//
// It decides nothing and knows no rule: it shows what [casework.Store] says and hands on what people do. Everything works with the keyboard and without a script.
package desk
