/** The margins if a suite sets none. Rates and scores may drop by so much; costs, steps and latency may rise. */
export const defaultMaxDrop = 0.05;
export const defaultMaxCostIncrease = 0.1;
export const defaultMaxStepsIncrease = 0.2;
export const defaultMaxLatencyIncrease = 0.2;
