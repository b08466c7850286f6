/** Types of commit.mjs. */
export declare const commitFile: string;
export declare function findCommit(): string;
export declare function readBuiltCommit(): string | undefined;
