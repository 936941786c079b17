// Runs SQL in an empty DuckDB.
// usage: node duckdb.mjs FOLDER_WITH_NODE_MODULES THREADS SQL
import { createRequire } from 'node:module';

const [, , folder, threads, sql] = process.argv;
const { DuckDBInstance } = createRequire(folder + '/')('@duckdb/node-api');
const instance = await DuckDBInstance.create(':memory:', { threads });
await (await instance.connect()).run(sql);
