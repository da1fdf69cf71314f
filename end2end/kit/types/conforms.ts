// What is declared beside this is what the code has. It is compiled as a check, and no part of the package.

import * as kit from '../index.js';
import * as program from '../program.js';

kit satisfies typeof import('./index.d.ts');
program satisfies typeof import('./program.d.ts');
