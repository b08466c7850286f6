/**
 * Builds what a tsdown configuration says: node scripts/build.mjs [CONFIG], default tsdown.config.ts. Through tsdown's
 * library, since its command warns of Node versions that it will leave, which no reader of the screen can change.
 */
import { build } from 'tsdown';

const [config = 'tsdown.config.ts'] = process.argv.slice(2);
await build({ config, logLevel: 'error' });
