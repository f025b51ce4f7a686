// The same entry under the name that the rest of the source would have. Node takes the compiler
// for types into memory for this one line; what runs for long starts with main.cjs.
require('./main.cjs')
